/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is the same for all calls of a process: program, command line, ancestors, terminal, cgroup. Sent as a record of
 * its own before the first call of a process, and again when one of its marks has changed, so that a flood does not pay
 * for it and a process that lives a millisecond is still named. It is included once, by ipsetaudit.bpf.c.
 */
#ifndef IPSETAUDIT_PROCESS_H
#define IPSETAUDIT_PROCESS_H

/* Directories, mounts and cgroups that a path may have; one with more is cut. */
#define MOST_STEPS 24
#define SUBSYSTEMS 12

/* What marks the process that was told of last. */
struct told {
	__u64 start;
	__u64 cgroup;
	__u32 exec;
	__u32 ppid;
	__u32 epoch;
	__u32 pid;
	char leader[COMM_LEN];
};

/* All that were told of, as far as there is room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct told);
} told_by_pid SEC(".maps");

/* Makes the build emit the record as a Rust type. */
const struct ipset_process wire_process = {};

/* Word by word: there is no padding. */
static __always_inline bool is_told(const struct told *told, const struct told *now)
{
	const __u64 *a = (const void *)told, *b = (const void *)now;

	_Static_assert(sizeof(*told) == 6 * sizeof(*a), "six words");
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4] && a[5] == b[5];
}

/*
 * Adds a name and its NUL at `*end`; false where there is no room for it. `end` is in the record, where the verifier
 * does not follow its value: each round of a loop looks the same to it, and it need not walk through all of them.
 */
static __always_inline bool add_name(char *path, volatile __u32 *end, const void *name)
{
	__u64 at = *end;
	long n;

	if (at > PATH_ROOM - NAME_ROOM)
		return false;
	n = bpf_probe_read_kernel_str(path + at, NAME_ROOM, name);
	if (n <= 0 || n >= NAME_ROOM)
		return false;
	*end = at + n;
	return true;
}

/* The names of a file's path, the last one first, over mounts up to the root of all. */
static __always_inline void put_exe(struct ipset_process *p, struct task_struct *t)
{
	struct file *file = BPF_CORE_READ(t, mm, exe_file);
	struct dentry *d, *up;
	struct vfsmount *v;

	p->exe_length = 0;
	if (!file)
		return;
	d = BPF_CORE_READ(file, f_path.dentry);
	v = BPF_CORE_READ(file, f_path.mnt);
	if (!BPF_CORE_READ(d, d_hash.pprev))
		p->flags |= PROCESS_EXE_DELETED;
	up = BPF_CORE_READ(d, d_parent);
	/* A file without a folder, as memfd_create() makes it: its name is that of its root. */
	if (d == up && add_name(p->exe, &p->exe_length, BPF_CORE_READ(d, d_name.name)))
		return;
	p->flags |= PROCESS_EXE_CUT;
	for (int i = 0; i < MOST_STEPS; i++) {
		up = BPF_CORE_READ(d, d_parent);
		if (d == BPF_CORE_READ(v, mnt_root) || d == up) {
			struct mount *m = (void *)v - bpf_core_field_offset(struct mount, mnt);
			struct mount *below = BPF_CORE_READ(m, mnt_parent);

			if (m == below) {
				p->flags &= ~PROCESS_EXE_CUT;
				break;
			}
			d = BPF_CORE_READ(m, mnt_mountpoint);
			v = (void *)below + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		if (!add_name(p->exe, &p->exe_length, BPF_CORE_READ(d, d_name.name)))
			break;
		d = up;
	}
}

/* kernfs_node.parent has been __parent since "kernfs: Use RCU to access kernfs_node::parent" (633488947ef6). */
static __always_inline struct kernfs_node *folder_of(struct kernfs_node *kn)
{
	struct kernfs_node___rcu *renamed = (void *)kn;

	if (bpf_core_field_exists(kn->parent))
		return BPF_CORE_READ(kn, parent);
	return BPF_CORE_READ(renamed, __parent);
}

/* The names of the cgroup's path, the last one first: of v2, or where v2 is not in use, of the first v1 hierarchy. */
static __always_inline void put_cgroup(struct ipset_process *p, struct task_struct *t)
{
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	struct kernfs_node *kn = BPF_CORE_READ(set, dfl_cgrp, kn), *up = folder_of(kn);

	p->cgroup_length = 0;
	for (int i = 0; !up && i < SUBSYSTEMS; i++) {
		struct cgroup_subsys_state *css = NULL;

		bpf_probe_read_kernel(&css, sizeof(css),
				      (void *)set + bpf_core_field_offset(struct css_set, subsys) + i * sizeof(css));
		kn = BPF_CORE_READ(css, cgroup, kn);
		up = folder_of(kn);
	}
	for (int i = 0; up && i < MOST_STEPS; i++) {
		if (!add_name(p->cgroup_path, &p->cgroup_length, BPF_CORE_READ(kn, name)))
			break;
		kn = up;
		up = folder_of(kn);
	}
	if (up)
		p->flags |= PROCESS_CGROUP_CUT;
}

static __always_inline void put_ancestors(struct ipset_process *p, struct task_struct *t)
{
	struct task_struct *parent = BPF_CORE_READ(t, real_parent);
	__u32 n = 0;

	for (int i = 0; i < MOST_PARENTS; i++) {
		__u32 pid = BPF_CORE_READ(parent, tgid);

		p->parents[i].pid = pid;
		BPF_CORE_READ_INTO(&p->parents[i].comm, parent, group_leader, comm);
		if (!pid)
			break;
		n = i + 1;
		parent = BPF_CORE_READ(parent, real_parent);
	}
	p->parent_count = n;
	if (n == MOST_PARENTS && BPF_CORE_READ(parent, tgid))
		p->flags |= PROCESS_MORE_PARENTS;
}

static __always_inline void put_rest(struct ipset_process *p, struct task_struct *t, const struct told *now)
{
	struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);

	p->kind = PROCESS;
	p->pid = bpf_get_current_pid_tgid() >> 32;
	p->exec = now->exec;
	p->flags = 0;
	p->start = now->start;
	p->cgroup = now->cgroup;
	p->netns = BPF_CORE_READ(t, nsproxy, net_ns, ns.inum);
	__builtin_memcpy(p->leader, now->leader, COMM_LEN);
	p->tty[0] = 0;
	if (tty)
		BPF_CORE_READ_STR_INTO(&p->tty, tty, name);
	put_exe(p, t);
	put_cgroup(p, t);
	put_ancestors(p, t);
}

/* False: the ring has no room; the next call tries again. */
static __noinline bool tell(const struct told *now)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct ipset_process *p;
	__u64 from, to, n;

	if (!now)
		return false;
	p = bpf_ringbuf_reserve(&ring, sizeof(*p) + ARGS_ROOM, 0);
	if (!p)
		return false;
	put_rest(p, t, now);
	from = BPF_CORE_READ(t, mm, arg_start);
	to = BPF_CORE_READ(t, mm, arg_end);
	n = to > from ? to - from : 0;
	p->args_length = n;
	barrier_var(n); /* the verifier wants to see the bound where it is used */
	if (n > ARGS_ROOM)
		n = ARGS_ROOM;
	p->args_copied = n;
	if (bpf_probe_read_user(p + 1, n, (void *)from))
		p->args_copied = 0;
	bpf_ringbuf_submit(p, BPF_RB_NO_WAKEUP); /* a call follows, and wakes */
	return true;
}

#endif
