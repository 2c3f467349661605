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
#define IPSET_CMD_LIST 7
#define IPSET_CMD_SAVE 8
#define IPSET_CMD_ADD 9
#define IPSET_CMD_DEL 10
#define IPSET_CMD_HEADER 12
#define IPSET_CMD_GET_BYINDEX 15
#define IPSET_ATTR_LINENO 9
#define NLMSG_ERROR 2
#define NFNL_MSG_BATCH_BEGIN 0x10
#define NETLINK_NETFILTER 12
#define NLA_TYPE_MASK 0x3fff
/* Attributes at command level are fewer; the kernel takes the last of a kind, and so do we. */
#define MOST_ATTRS 16
#define EINTR 4

/* Set by the program before loading. The verifier drops the branches that these rule out. */
const volatile __u32 have_plain_loads = 0;	/* bpf_rdonly_cast(): loads through what the verifier knows as a number */
const volatile __u32 have_current = 0;		/* bpf_get_current_task_btf(): what the task has is a plain load away */
const volatile __u32 have_slots = 0;		/* atomic additions are ordered, as x86's are */
const volatile __u32 answer_by_nfnetlink = 0;	/* the answer passes nfnetlink_unicast(), not just netlink_unicast() */
const volatile __u32 every_ack = 0;		/* refusals are looked for in every acknowledgement */
const volatile __u32 own_ports[2] = {};		/* netlink ports of the program's own sockets */
const volatile __u32 own_netns = 0;		/* and the network namespace that they are in */
const volatile __u32 own_pid = 0;		/* the program itself, in the pid namespace of this device and inode */
const volatile __u64 own_pidns[2] = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

/* The header and what most often is the whole of a one-element message, in one read. */
struct beginning {
	struct nlmsghdr h;
	__u64 rest[6];
};

#define SHORT_LEN sizeof(struct beginning)

#include "process.h"
#include "threads.h"

/* Each in a section and so in a map of its own, which the program shares. */
struct call_counts counts SEC(".data.counts") = {};
struct reader_state reader SEC(".data.reader") = {};

/* The message that is being handled was seen in a register on return: see is_this_call(). */
__u32 keeps_message = 0;

/* Dumps that ended, counted whether or not the ring had room to tell. */
__u32 dumps_ended = 0;

/* Makes the build emit the records as Rust types. */
const struct ipset_call wire_call = {};
const struct ipset_dump_end wire_dump_end = {};

#define COUNT(field) __sync_fetch_and_add(&counts.field, 1)
#define COUNT_OP(field, type) COUNT(field[op_slot(type)])

static __always_inline __u32 op_slot(__u16 type)
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
	if (!reader.asleep)
		return BPF_RB_NO_WAKEUP;
	reader.asleep = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* The verifier takes its word for the type, and a load that faults reads 0. Since Linux 6.2. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
#define PLAIN(type, pointer) ((type *)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)))

static __always_inline __u32 netns_of(struct sk_buff *skb)
{
	struct net *net;

	if (have_plain_loads)
		return PLAIN(struct sk_buff, skb)->sk->__sk_common.skc_net.net->ns.inum;
	net = BPF_CORE_READ(skb, sk, __sk_common.skc_net.net);
	/* Nearly always that of the task, which a plain load can read. */
	if (have_current) {
		struct nsproxy *of_task = bpf_get_current_task_btf()->nsproxy;

		if (of_task && of_task->net_ns == net)
			return of_task->net_ns->ns.inum;
	}
	return BPF_CORE_READ(net, ns.inum);
}

/* Questions of ours about a set that packets change, which may be in any network namespace. */
static __always_inline bool is_own_question(__u8 cmd)
{
	struct bpf_pidns_info ns = {};

	if (!own_pid || (cmd != IPSET_CMD_GET_BYINDEX && cmd != IPSET_CMD_HEADER))
		return false;
	return !bpf_get_ns_current_pid_tgid(own_pidns[0], own_pidns[1], &ns, sizeof(ns)) && ns.tgid == own_pid;
}

/* The sender's netlink port: the kernel's word, not the sender's. */
static __always_inline __u32 port_of(struct sk_buff *skb)
{
	struct netlink_skb_parms *cb = (void *)__builtin_preserve_access_index(&skb->cb);

	return BPF_CORE_READ(cb, portid);
}

/* Our own messages change nothing and belong to nobody's audit. */
static __always_inline bool is_own(struct sk_buff *skb, __u16 type)
{
	__u8 cmd = type & 0xff;
	__u32 port;

	if (cmd != IPSET_CMD_PROTOCOL && cmd != IPSET_CMD_HEADER && cmd != IPSET_CMD_GET_BYINDEX)
		return false;
	if (is_own_question(cmd))
		return true;
	if (!own_ports[0] || cmd == IPSET_CMD_GET_BYINDEX)
		return false;
	port = port_of(skb);
	return (port == own_ports[0] || port == own_ports[1]) && netns_of(skb) == own_netns;
}

/* The same reads, by plain loads where the verifier knows the type of current, and by helper calls where it does not. */
#define READ_MARKS(now, t, READ, COPY) do {						\
	(now)->start = READ(t, group_leader, start_boottime);				\
	(now)->exec = READ(t, self_exec_id);						\
	(now)->pid = READ(t, tgid);							\
	(now)->ppid = READ(t, real_parent, tgid);					\
	COPY((now)->leader, t, group_leader, comm);					\
} while (0)
#define READ_IDS(c, t, READ) do {							\
	(c)->pid = READ(t, tgid);							\
	(c)->tid = READ(t, pid);							\
	(c)->uid = READ(t, cred, uid.val);						\
	(c)->gid = READ(t, cred, gid.val);						\
	(c)->auid = (c)->ses = ~0u;							\
	if (bpf_core_field_exists((t)->loginuid)) {					\
		(c)->auid = READ(t, loginuid.val);					\
		(c)->ses = READ(t, sessionid);						\
	}										\
} while (0)
#define LOAD1(t, f) ((t)->f)
#define LOAD2(t, p, f) ((t)->p->f)
#define LOAD_OF(_1, _2, name, ...) name
#define LOAD(t, ...) LOAD_OF(__VA_ARGS__, LOAD2, LOAD1)(t, __VA_ARGS__)
/* In two words: the compiler knows nothing of the alignment in the kernel, and would go byte by byte. */
#define COPY_COMM(to, from) do {							\
	const __u64 *words = (const void *)(from);					\
	__u64 low = words[0], high = words[1];						\
											\
	((__u64 *)(to))[0] = low;							\
	((__u64 *)(to))[1] = high;							\
} while (0)
#define LOAD_COMM(to, t, p, f) COPY_COMM(to, (t)->p->f)
#define PROBE_COMM(to, t, p, f) BPF_CORE_READ_INTO(&(to), t, p, f)

/* By which the process is known that calls now. */
static __always_inline void read_marks(struct told *now, struct task_struct *t)
{
	now->cgroup = bpf_get_current_cgroup_id();
	now->epoch = reader.epoch;
	if (have_current)
		READ_MARKS(now, t, LOAD, LOAD_COMM);
	else
		READ_MARKS(now, t, BPF_CORE_READ, PROBE_COMM);
}

/* Tells of the process, unless that was done. `slot` is the thread's, or NULL. */
static __always_inline void introduce(struct slot *slot, const struct told *now)
{
	struct told *told;

	if (slot && is_told(&slot->told, now))
		return;
	told = bpf_map_lookup_elem(&told_by_pid, &now->pid);
	if (!told || !is_told(told, now)) {
		if (!tell(now))
			return;
		bpf_map_update_elem(&told_by_pid, &now->pid, now, BPF_ANY);
	}
	if (slot)
		slot->told = *now;
}

static __always_inline bool begins_dump(struct inflight *f)
{
	__u8 cmd = f->type & 0xff;

	return cmd == IPSET_CMD_LIST || cmd == IPSET_CMD_SAVE;
}

static __always_inline void fill(struct ipset_call *c, struct inflight *f, const struct told *now,
				 struct task_struct *t, __s32 result, __u32 kind)
{
	struct sk_buff *skb = f->skb;

	c->kind = kind;
	c->length = f->length;
	c->time = bpf_ktime_get_ns();
	c->entered = f->entered;
	c->start = now->start;
	c->cgroup = now->cgroup;
	c->exec = now->exec;
	c->ppid = now->ppid;
	c->result = result;
	c->answer = f->answer;
	c->line = f->line;
	/* The socket of a call that went by unseen may be gone: its port and namespace are not to be had. */
	c->dump = begins_dump(f) && kind != CALL_NO_RETURN ? port_of(skb) : dumps_ended;
	c->netns = kind == CALL_NO_RETURN ? 0 : netns_of(skb);
	__builtin_memcpy(c->leader, now->leader, COMM_LEN);
	if (have_current) {
		READ_IDS(c, t, LOAD);
		COPY_COMM(c->comm, t->comm);
	} else {
		READ_IDS(c, t, BPF_CORE_READ);
		BPF_CORE_READ_INTO(&c->comm, t, comm);
	}
}

/* Reserves room for a constant size, as the verifier of 5.10 wants it: hence size classes. */
#define RESERVE(size) ({								\
	struct ipset_call *reserved = bpf_ringbuf_reserve(&ring, sizeof(*reserved) + (size), 0); \
	if (!reserved) {								\
		COUNT_OP(ring_full, f->type);						\
		return;									\
	}										\
	fill(reserved, f, &now, thread->task, result, kind);						\
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

static __always_inline void emit(struct inflight *f, const struct thread *thread, struct slot *slot, __s32 result,
				 __u32 kind)
{
	struct told now;

	read_marks(&now, thread->task);
	if (kind != CALL_NO_RETURN) /* that one is rare, and the verifier's time dear */
		introduce(slot, &now);
	if (f->length <= HEAD_LEN || kind == CALL_NO_RETURN) {
		struct ipset_call *c = RESERVE(HEAD_LEN);

		__builtin_memcpy(c + 1, f->head, SHORT_LEN);
		if (f->length > SHORT_LEN)
			__builtin_memcpy((void *)(c + 1) + SHORT_LEN, f->head + SHORT_LEN, HEAD_LEN - SHORT_LEN);
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

static __always_inline void put_call(struct inflight *f, struct sk_buff *skb, struct nlmsghdr *nlh,
				     const struct nlmsghdr *h)
{
	f->skb = skb;
	f->nlh = nlh;
	f->length = h->nlmsg_len;
	f->type = h->nlmsg_type;
	f->answer = 0;
	f->line = 0;
}

/* Keeps the first bytes of the message: they name the set should the return go by unseen. */
static __always_inline void read_head(struct inflight *f, const struct nlmsghdr *nlh, __u32 length)
{
	if (length > HEAD_LEN)
		length = HEAD_LEN;
	bpf_probe_read_kernel(f->head, length, nlh);
}

/* The words of memory from one number on, up to another. */
static __always_inline void load_words(__u64 *to, const void *memory, __u32 from, __u32 end)
{
	const __u64 *words = (const void *)PLAIN(struct rtnl_link_stats64, memory);

#pragma unroll
	for (__u32 i = from; i < end; i++)
		to[i] = words[i];
}

/* What loads by type have read: the message's length and type. The others can ask only once, and ask for all at once. */
static __always_inline bool read_beginning(struct beginning *b, const struct nlmsghdr *nlh)
{
	if (have_plain_loads) {
		load_words((void *)b, nlh, 0, 1);
		return true;
	}
	/* A short message may end where the memory ends that can be read. */
	return !bpf_probe_read_kernel(b, sizeof(*b), nlh) || !bpf_probe_read_kernel(&b->h, sizeof(b->h), nlh);
}

/* Keeps the first bytes of the message, of which `b` has what was read already. */
static __always_inline void put_beginning(struct inflight *f, const struct nlmsghdr *nlh, const struct beginning *b)
{
	bool is_longer = b->h.nlmsg_len > SHORT_LEN;

	if (have_plain_loads) {
		/* The sender's number and port, the second word, are nobody's business. */
		((__u64 *)f->head)[0] = ((const __u64 *)b)[0];
		((__u64 *)f->head)[1] = 0;
		load_words((void *)f->head, nlh, 2, SHORT_LEN / sizeof(__u64));
		if (is_longer)
			load_words((void *)f->head, nlh, SHORT_LEN / sizeof(__u64), HEAD_LEN / sizeof(__u64));
	} else if (is_longer) {
		read_head(f, nlh, b->h.nlmsg_len);
	} else {
		__builtin_memcpy(f->head, b, sizeof(*b));
	}
}

/* Rare, and so apart from what each call does. */
static __noinline int emit_without_return(struct inflight *f)
{
	struct thread thread = this_thread();

	if (f)
		emit(f, &thread, NULL, 0, CALL_NO_RETURN);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(enter, struct sk_buff *skb, struct nlmsghdr *nlh)
{
	struct thread thread;
	struct beginning b;
	struct inflight *f;
	__u64 start;
	bool own;

	if (!read_beginning(&b, nlh) || b.h.nlmsg_type >> 8 != NFNL_SUBSYS_IPSET) {
		COUNT(others);
		return 0;
	}
	own = is_own(skb, b.h.nlmsg_type);
	if (own)
		COUNT(others);
	else
		COUNT_OP(entered, b.h.nlmsg_type);
	thread = this_thread();
	f = remember(&thread);
	if (!f) {
		if (!own)
			COUNT_OP(untracked, b.h.nlmsg_type);
		return 0;
	}
	start = start_of(&thread);
	if (f->nlh && !f->own && f->start == start)
		emit_without_return(f);
	f->own = own;
	f->start = start;
	f->switches = switches_of(&thread);
	f->entered = bpf_ktime_get_ns();
	put_beginning(f, nlh, &b);
	put_call(f, skb, nlh, &b.h);
	return 0;
}

/* netlink_rcv_skb() goes on with the message after the call, and so keeps it over it; in which register is not known. */
static __always_inline bool is_kept(struct pt_regs *ctx, const struct nlmsghdr *nlh)
{
#if defined(__TARGET_ARCH_x86)
	__u64 kept = (__u64)nlh;

	return ctx->rbx == kept || ctx->rbp == kept || ctx->r12 == kept || ctx->r13 == kept || ctx->r14 == kept ||
	       ctx->r15 == kept;
#else
	return false;
#endif
}

/* Whether the message says now what it said at the entry, but for the sender's number, which was not kept. */
static __always_inline bool is_same(const struct inflight *f)
{
	const __u64 *before = (const void *)f->head, *now;
	struct beginning b;

	if (have_plain_loads)
		load_words((void *)&b, f->nlh, 0, SHORT_LEN / sizeof(__u64));
	else if (!read_beginning(&b, f->nlh))
		return false;
	now = (const void *)&b;
#pragma unroll
	for (__u32 i = 0; i < SHORT_LEN / sizeof(__u64); i++)
		if (i != 1 && (i + 1) * sizeof(__u64) <= f->length && before[i] != now[i])
			return false;
	return true;
}

/*
 * Whether the call that returns is the one that was seen to enter. Between the two, others of the thread may have gone by
 * unseen: the kernel runs no program of a kprobe while a task of that CPU is in the middle of bpf(2) with a map, be it
 * preempted there. Who has not given his CPU away meets no such task, and is not asked. Where the message still is the
 * same, it does not matter which call it was.
 */
static __always_inline bool is_this_call(struct pt_regs *ctx, const struct inflight *f)
{
	return is_kept(ctx, f->nlh) ? is_same(f) : !keeps_message;
}

SEC("kretprobe")
int BPF_KRETPROBE(leave, int result)
{
	struct thread thread = this_thread();
	struct slot *slot;
	struct inflight *f = recall(&thread, &slot);

	COUNT(returned);
	if (!f || !f->nlh)
		return 0;
	if (f->own) {
		COUNT(canary);
		if (is_kept(ctx, f->nlh))
			keeps_message = 1;
	} else if (f->switches == switches_of(&thread) || is_this_call(ctx, f)) {
		emit(f, &thread, slot, result, CALL_RETURNED);
	} else {
		emit_without_return(f);
	}
	forget(f, &thread, slot, result);
	return 0;
}

/* The line number in the request that ipset copied into its answer, with the failing line put in. */
static __always_inline __u32 line_in(void *request, __u32 length)
{
	__u32 off = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg), line = 0;

	for (int i = 0; i < MOST_ATTRS; i++) {
		struct nlattr a;

		if (off + sizeof(a) > length || bpf_probe_read_kernel(&a, sizeof(a), request + off) || a.nla_len < sizeof(a))
			break;
		if ((a.nla_type & NLA_TYPE_MASK) == IPSET_ATTR_LINENO)
			bpf_probe_read_kernel(&line, sizeof(line), request + off + sizeof(a));
		off += (a.nla_len + 3) & ~3u;
	}
	return line;
}

/*
 * When an element with a line number fails, ipset answers the caller itself and returns -EINTR, so that the netlink
 * core does not answer again: the true errno is only in that answer, on its way through netlink_unicast(), since 5.14
 * by way of nfnetlink_unicast(), through which little else goes.
 */
SEC("kprobe")
int BPF_KPROBE(answer, void *first, void *second)
{
	struct sk_buff *skb = answer_by_nfnetlink ? first : second;
	struct thread thread = this_thread();
	struct slot *slot;
	struct inflight *f = recall(&thread, &slot);
	struct { struct nlmsghdr h; struct nlmsgerr e; } m;
	__u8 cmd;
	void *data;

	if (!f || !f->nlh)
		return 0;
	cmd = f->type & 0xff;
	if (cmd != IPSET_CMD_ADD && cmd != IPSET_CMD_DEL)
		return 0;
	data = BPF_CORE_READ(skb, data);
	if (bpf_probe_read_kernel(&m, sizeof(m), data) || m.h.nlmsg_type != NLMSG_ERROR || !m.e.error)
		return 0;
	f->answer = m.e.error;
	f->line = line_in(data + sizeof(m.h) + sizeof(m.e.error), m.e.msg.nlmsg_len);
	return 0;
}

/* The first message of a batch for ipset: ipset takes no batches, so the whole of it is refused. */
static __always_inline struct nlmsghdr *in_refused_batch(struct sk_buff *skb, struct nlmsghdr *nlh, struct nlmsghdr *h)
{
	__u32 len = (h->nlmsg_len + 3) & ~3u;
	struct nfgenmsg g;

	if (bpf_probe_read_kernel(&g, sizeof(g), nlh + 1) || g.res_id != __builtin_bswap16(NFNL_SUBSYS_IPSET))
		return NULL;
	if (BPF_CORE_READ(skb, len) < len + sizeof(*h))
		return NULL;
	nlh = (void *)nlh + len;
	return bpf_probe_read_kernel(h, sizeof(*h), nlh) ? NULL : nlh;
}

/*
 * What is refused before nfnetlink_rcv_msg(): a caller without CAP_NET_ADMIN, and ipset messages in a batch. Where every
 * acknowledgement is looked at, the answer to a call that came through there passes here too: it is known by its message.
 */
static __noinline int refused(struct sk_buff *skb, struct nlmsghdr *nlh, int err)
{
	struct inflight call = {}, *f;
	struct thread thread;
	struct slot *slot;
	struct nlmsghdr h;

	if (bpf_probe_read_kernel(&h, sizeof(h), nlh))
		return 0;
	if (h.nlmsg_type != NFNL_MSG_BATCH_BEGIN && h.nlmsg_type >> 8 != NFNL_SUBSYS_IPSET)
		return 0;
	if (BPF_CORE_READ(skb, sk, sk_protocol) != NETLINK_NETFILTER)
		return 0;
	if (h.nlmsg_type == NFNL_MSG_BATCH_BEGIN)
		nlh = in_refused_batch(skb, nlh, &h);
	if (!nlh || h.nlmsg_type >> 8 != NFNL_SUBSYS_IPSET || is_own(skb, h.nlmsg_type))
		return 0;
	thread = this_thread();
	f = recall(&thread, &slot);
	if (f && f->nlh) /* ipset acknowledges some dumps itself */
		return 0;
	if (f && f->nlh_left == nlh && f->result == err) {
		forget(f, &thread, slot, 0);
		return 0;
	}
	COUNT(refused);
	COUNT_OP(entered, h.nlmsg_type);
	f = &call;
	read_head(f, nlh, h.nlmsg_len);
	put_call(f, skb, nlh, &h);
	emit(f, &thread, NULL, err, CALL_REFUSED);
	return 0;
}

/*
 * Where nfnetlink itself calls netlink_ack(). Where its calls were not found, on netlink_ack(): every acknowledgement
 * passes there, so no more than a look at it is before the rest.
 */
SEC("kprobe")
int BPF_KPROBE(refusal, struct sk_buff *skb, struct nlmsghdr *nlh, int err)
{
	if (!every_ack)
		COUNT(refusals);
	return err ? refused(skb, nlh, err) : 0;
}

#include "packets.bpf.h"

/* The whole call in one place: nothing to remember, but no time of entry either. */
SEC("fexit/nfnetlink_rcv_msg")
int BPF_PROG(leave_fexit, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack, int result)
{
	struct inflight call = {}, *f = &call;
	struct thread thread;
	struct nlmsghdr h;

	if (bpf_probe_read_kernel(&h, sizeof(h), nlh) || h.nlmsg_type >> 8 != NFNL_SUBSYS_IPSET)
		return 0;
	if (is_own(skb, h.nlmsg_type)) {
		COUNT(canary);
		return 0;
	}
	COUNT_OP(entered, h.nlmsg_type);
	thread = this_thread();
	read_head(f, nlh, h.nlmsg_len);
	put_call(f, skb, nlh, &h);
	emit(f, &thread, NULL, result, CALL_RETURNED);
	return 0;
}

/*
 * ip_set_dump_done(): a set that a list or save is in the middle of cannot be destroyed, renamed or swapped, and a
 * slow reader may stay in the middle for long. The count goes first, so that a call that knows fewer ends than were
 * told is known to be older.
 */
SEC("kprobe")
int BPF_KPROBE(dump_end, struct netlink_callback *cb)
{
	struct sk_buff *skb = BPF_CORE_READ(cb, skb);
	struct ipset_dump_end *e;

	__sync_fetch_and_add(&dumps_ended, 1);
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e)
		return 0;
	e->kind = DUMP_END;
	e->spare = 0;
	e->time = bpf_ktime_get_ns();
	e->netns = netns_of(skb);
	e->port = port_of(skb);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}
