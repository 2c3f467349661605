// SPDX-License-Identifier: GPL-2.0
/*
 * The probe: sees every netlink message to the ipset subsystem enter and leave nfnetlink_rcv_msg(), and sends one
 * record a call to the ring. It copies bytes and counts what it could not send; it knows no names and no meanings.
 *
 * Two entrances share one body: a pair of kprobe events (enter, leave), and fexit for kernels without kprobes.
 */
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "ipsetaudit.h"

char LICENSE[] SEC("license") = "GPL";

#define NFNL_SUBSYS_IPSET 6
#define IPSET_CMD_PROTOCOL 1
#define IPSET_CMD_HEADER 12

/* Set by the program before loading. The verifier drops the branches that these rule out. */
const volatile __u32 have_task_storage = 0;	/* BPF_MAP_TYPE_TASK_STORAGE in kprobes, and with it current as BTF */
const volatile __u32 own_portid = 0;		/* netlink port of the program's own socket */
const volatile __u32 own_netns = 0;		/* and the network namespace that port is in */

/* A call under way. */
struct inflight {
	struct sk_buff *skb;
	struct nlmsghdr *nlh;	/* NULL: no call */
	__u64 entered;
	__u64 start;		/* of the thread; only where it is kept by its id */
	__u32 length;
	__u16 type;
	__u8 own;		/* our canary */
	__u8 hashed;		/* kept by thread id */
	__u8 head[HEAD_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct inflight);
} by_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct inflight);
} by_tid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call_counts);
} counts SEC(".maps");

/* Not 0: the reader sleeps until it is woken. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} asleep SEC(".maps");

/* Makes the build emit the record as a Rust type. */
const struct ipset_call wire_call = {};

#define COUNT(field, type) do {								\
	__u32 zero = 0;									\
	struct call_counts *n = bpf_map_lookup_elem(&counts, &zero);			\
	if (n)										\
		__sync_fetch_and_add(&n->field[slot(type)], 1);				\
} while (0)

static __always_inline __u32 slot(__u16 type)
{
	__u32 cmd = type & 0xff;

	return cmd < OP_SLOTS ? cmd : 0;
}

/*
 * A wake-up costs the caller more than all the rest of this file. So the reader is woken only when it says that it
 * sleeps; while it is awake it comes back by itself on a timer.
 */
static __always_inline __u64 wakeup(void)
{
	__u32 zero = 0, *sleeps = bpf_map_lookup_elem(&asleep, &zero);

	if (!sleeps || !*sleeps)
		return BPF_RB_NO_WAKEUP;
	*sleeps = 0;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline __u32 netns_of(struct sk_buff *skb)
{
	return BPF_CORE_READ(skb, sk, __sk_common.skc_net.net, ns.inum);
}

/* Our own messages change nothing and belong to nobody's audit; portid is the kernel's word, not the sender's. */
static __always_inline bool is_own(struct sk_buff *skb, __u16 type)
{
	__u8 cmd = type & 0xff;
	struct netlink_skb_parms *cb;

	if (!own_portid || (cmd != IPSET_CMD_PROTOCOL && cmd != IPSET_CMD_HEADER))
		return false;
	cb = (void *)__builtin_preserve_access_index(&skb->cb);
	return BPF_CORE_READ(cb, portid) == own_portid && netns_of(skb) == own_netns;
}

/* The same reads, by plain loads where the verifier knows the type of current, and by helper calls where it does not. */
#define FILL_TASK(c, t, READ, READ2, COPY, COPY2) do {					\
	(c)->start = READ2(t, group_leader, start_boottime);				\
	(c)->ppid = READ2(t, real_parent, tgid);					\
	(c)->auid = (c)->ses = ~0u;							\
	if (bpf_core_field_exists((t)->loginuid)) {					\
		(c)->auid = READ(t, loginuid.val);					\
		(c)->ses = READ(t, sessionid);						\
	}										\
	COPY((c)->comm, t, comm);							\
	COPY2((c)->leader, t, group_leader, comm);					\
	COPY2((c)->parent, t, real_parent, comm);					\
} while (0)
#define LOAD(t, f) ((t)->f)
#define LOAD2(t, p, f) ((t)->p->f)
#define LOAD_COMM(to, t, f) __builtin_memcpy(to, (t)->f, COMM_LEN)
#define LOAD_COMM2(to, t, p, f) __builtin_memcpy(to, (t)->p->f, COMM_LEN)
#define PROBE_COMM(to, t, f) BPF_CORE_READ_INTO(&(to), t, f)
#define PROBE_COMM2(to, t, p, f) BPF_CORE_READ_INTO(&(to), t, p, f)

static __always_inline void fill(struct ipset_call *c, struct inflight *f, __s32 result, __u32 kind)
{
	__u64 id = bpf_get_current_pid_tgid(), ug = bpf_get_current_uid_gid();
	struct sk_buff *skb = f->skb;

	c->time = bpf_ktime_get_ns();
	c->entered = f->entered;
	c->pid = id >> 32;
	c->tid = id;
	c->uid = ug;
	c->gid = ug >> 32;
	c->cgroup = bpf_get_current_cgroup_id();
	c->result = result;
	c->kind = kind;
	c->length = f->length;
	/* The socket of a call that went by unseen may be gone: its namespace is not to be had. */
	c->netns = kind == CALL_RETURNED ? netns_of(skb) : 0;
	if (have_task_storage) {
		struct task_struct *t = bpf_get_current_task_btf();

		FILL_TASK(c, t, LOAD, LOAD2, LOAD_COMM, LOAD_COMM2);
	} else {
		struct task_struct *t = (void *)bpf_get_current_task();

		FILL_TASK(c, t, BPF_CORE_READ, BPF_CORE_READ, PROBE_COMM, PROBE_COMM2);
	}
}

/* Reserves room for a constant size, as the verifier of 5.10 wants it: hence size classes. */
#define RESERVE(size) ({								\
	struct ipset_call *reserved = bpf_ringbuf_reserve(&ring, sizeof(*reserved) + (size), 0); \
	if (!reserved) {								\
		COUNT(ring_full, f->type);						\
		return;									\
	}										\
	fill(reserved, f, result, kind);						\
	reserved; })

#define EMIT_COPY(size) do {								\
	struct ipset_call *c = RESERVE(size);						\
	__u32 n = f->length;								\
											\
	if (n > (size))									\
		n = (size);								\
	if (bpf_probe_read_kernel(c + 1, n, f->nlh))					\
		n = 0;									\
	c->copied = n;									\
	bpf_ringbuf_submit(c, wakeup());						\
} while (0)

static __always_inline void emit(struct inflight *f, __s32 result, __u32 kind)
{
	if (f->length <= HEAD_LEN || kind != CALL_RETURNED) {
		struct ipset_call *c = RESERVE(HEAD_LEN);

		__builtin_memcpy(c + 1, f->head, HEAD_LEN);
		c->copied = f->length < HEAD_LEN ? f->length : HEAD_LEN;
		bpf_ringbuf_submit(c, wakeup());
	} else if (f->length <= 512) {
		EMIT_COPY(512);
	} else if (f->length <= 4096) {
		EMIT_COPY(4096);
	} else if (f->length <= 16384) {
		EMIT_COPY(16384);
	} else {
		EMIT_COPY(66560);
	}
}

/*
 * Calls under way are kept with their task. Where that is not possible, or the kernel finds no memory for it at once
 * (kmalloc_nolock() may always refuse, and does on processors without cmpxchg16b), a hash by thread id does.
 */
static __always_inline struct inflight *recall(__u64 *tid)
{
	if (have_task_storage) {
		struct inflight *f = bpf_task_storage_get(&by_task, bpf_get_current_task_btf(), 0, 0);

		if (f && f->nlh)
			return f;
	}
	return bpf_map_lookup_elem(&by_tid, tid);
}

static __always_inline struct inflight *remember(__u64 *tid)
{
	static const struct inflight hashed = { .hashed = 1 };

	if (have_task_storage) {
		struct inflight *f = bpf_task_storage_get(&by_task, bpf_get_current_task_btf(), 0,
							  BPF_LOCAL_STORAGE_GET_F_CREATE);

		if (f)
			return f;
	}
	bpf_map_update_elem(&by_tid, tid, &hashed, BPF_NOEXIST);
	return bpf_map_lookup_elem(&by_tid, tid);
}

static __always_inline void forget(struct inflight *f, __u64 *tid)
{
	f->nlh = NULL;
	if (f->hashed)
		bpf_map_delete_elem(&by_tid, tid);
}

/* What is kept by thread id may stem from an earlier thread of that id. */
static __always_inline bool is_of_current(struct inflight *f, __u64 start)
{
	return !f->hashed || f->start == start;
}

/* Keeps the first bytes of the message: they name the set should the return go by unseen. */
static __always_inline void note(struct inflight *f, struct sk_buff *skb, struct nlmsghdr *nlh, const struct nlmsghdr *h)
{
	__u32 n = h->nlmsg_len;

	if (n > HEAD_LEN)
		n = HEAD_LEN;
	bpf_probe_read_kernel(f->head, n, nlh);
	f->skb = skb;
	f->nlh = nlh;
	f->length = h->nlmsg_len;
	f->type = h->nlmsg_type;
}

SEC("kprobe")
int BPF_KPROBE(enter, struct sk_buff *skb, struct nlmsghdr *nlh)
{
	__u64 tid = bpf_get_current_pid_tgid(), start = 0;
	struct nlmsghdr h;
	struct inflight *f;
	bool own;

	if (bpf_probe_read_kernel(&h, sizeof(h), nlh) || h.nlmsg_type >> 8 != NFNL_SUBSYS_IPSET)
		return 0;
	own = is_own(skb, h.nlmsg_type);
	if (!own)
		COUNT(entered, h.nlmsg_type);
	f = remember(&tid);
	if (!f) {
		if (!own)
			COUNT(untracked, h.nlmsg_type);
		return 0;
	}
	if (f->hashed) {
		struct task_struct *t = (void *)bpf_get_current_task();

		start = BPF_CORE_READ(t, start_boottime);
	}
	if (f->nlh && !f->own && is_of_current(f, start))
		emit(f, 0, CALL_NO_RETURN);
	f->own = own;
	f->start = start;
	f->entered = bpf_ktime_get_ns();
	note(f, skb, nlh, &h);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(leave, int result)
{
	__u64 tid = bpf_get_current_pid_tgid();
	struct inflight *f = recall(&tid);

	if (!f || !f->nlh)
		return 0;
	if (f->own) {
		__u32 zero = 0;
		struct call_counts *n = bpf_map_lookup_elem(&counts, &zero);

		if (n)
			__sync_fetch_and_add(&n->canary, 1);
	} else {
		emit(f, result, CALL_RETURNED);
	}
	forget(f, &tid);
	return 0;
}

/* The whole call in one place: nothing to remember, but no time of entry either. */
SEC("fexit/nfnetlink_rcv_msg")
int BPF_PROG(leave_fexit, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack, int result)
{
	struct inflight call = {}, *f = &call;
	struct nlmsghdr h;

	if (bpf_probe_read_kernel(&h, sizeof(h), nlh) || h.nlmsg_type >> 8 != NFNL_SUBSYS_IPSET)
		return 0;
	if (is_own(skb, h.nlmsg_type)) {
		__u32 zero = 0;
		struct call_counts *n = bpf_map_lookup_elem(&counts, &zero);

		if (n)
			__sync_fetch_and_add(&n->canary, 1);
		return 0;
	}
	COUNT(entered, h.nlmsg_type);
	note(f, skb, nlh, &h);
	emit(f, result, CALL_RETURNED);
	return 0;
}
