/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls under way, each with its thread. A thread has a slot by the last bits of its id, unless the slot is another's at
 * the moment: then a hash by thread id does, which costs the caller some thousand instructions more. Which processes
 * were told of is kept with the slot too, in front of a table of all of them. It knows nothing of messages, and is
 * included once, by ipsetaudit.bpf.c.
 */
#ifndef IPSETAUDIT_THREADS_H
#define IPSETAUDIT_THREADS_H

/* A power of two. */
#define SLOTS 4096

/* A call under way. */
struct inflight {
	struct sk_buff *skb;
	struct nlmsghdr *nlh;	/* NULL: no call */
	__u64 entered;
	__u64 start;		/* of the thread, which tells it from an earlier one of the same id */
	__u64 switches;		/* of the thread, at the entry */
	__s32 answer;		/* what ipset itself sent to the caller */
	__u32 line;
	__s32 result;		/* of the last call; nlh_left was its message */
	struct nlmsghdr *nlh_left;
	__u32 length;
	__u16 type;
	__u8 own;		/* our canary */
	__u8 head[HEAD_LEN] __attribute__((aligned(8)));
};

struct slot {
	__u64 task;		/* the address of the thread that has it; 0: nobody */
	__u32 claims;		/* threads that have it, or try to */
	struct inflight call;
	struct told told;	/* the process that was told of last; stays when the slot is given back */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct inflight);
} by_tid SEC(".maps");

/* How many are kept there. */
__u32 kept_by_tid = 0;

/* The thread that runs. */
struct thread {
	struct task_struct *task;	/* as the verifier knows it, or where it does not, as a number */
	__u32 tid;
};

static __always_inline struct thread this_thread(void)
{
	struct thread t;

	if (have_current) {
		t.task = bpf_get_current_task_btf();
		t.tid = t.task->pid;
	} else {
		t.task = (void *)bpf_get_current_task();
		t.tid = bpf_get_current_pid_tgid();
	}
	return t;
}

static __always_inline __u64 start_of(const struct thread *thread)
{
	struct task_struct *t = thread->task;

	return have_current ? t->start_boottime : BPF_CORE_READ(t, start_boottime);
}

/* How often the thread has given its processor away. Asked only where it is a plain load: see is_this_call(). */
static __always_inline __u64 switches_of(const struct thread *thread)
{
	struct task_struct *t = thread->task;

	return have_current ? t->nvcsw + t->nivcsw : 0;
}

static __always_inline struct slot *slot_of(const struct thread *thread)
{
	__u32 at = thread->tid % SLOTS;

	return have_slots ? bpf_map_lookup_elem(&slots, &at) : NULL;
}

/*
 * Whoever finds himself alone has the slot. Two who come at once may both find themselves not alone, but never both
 * alone: each sees at least his own claim, and all claims have an order. It takes no more than 5.10's atomics.
 */
static __always_inline bool claim(struct slot *slot, const struct thread *thread)
{
	volatile __u32 *claims = &slot->claims;

	if (*claims)
		return false;
	__sync_fetch_and_add(&slot->claims, 1);
	if (*claims != 1) {
		__sync_fetch_and_add(&slot->claims, -1);
		return false;
	}
	slot->task = (__u64)thread->task;
	slot->call.nlh = slot->call.nlh_left = NULL;
	return true;
}

static __always_inline struct inflight *in_hash(const struct thread *thread)
{
	return kept_by_tid ? bpf_map_lookup_elem(&by_tid, &thread->tid) : NULL;
}

/* What is known of the thread's call, or of the failed one before. Where it has a slot, that is put in `of`. */
static __always_inline struct inflight *recall(const struct thread *thread, struct slot **of)
{
	struct slot *slot = slot_of(thread);

	*of = slot && slot->task == (__u64)thread->task ? slot : NULL;
	return *of ? &slot->call : in_hash(thread);
}

/* Where to keep the thread's call; what is there of an earlier one may be an earlier thread's, which `start` tells. */
static __always_inline struct inflight *remember(const struct thread *thread)
{
	static const struct inflight nothing = {};
	struct slot *slot = slot_of(thread);
	struct inflight *known;

	if (slot && slot->task == (__u64)thread->task)
		return &slot->call;
	known = in_hash(thread);
	if (known)
		return known;
	if (slot && claim(slot, thread))
		return &slot->call;
	if (bpf_map_update_elem(&by_tid, &thread->tid, &nothing, BPF_NOEXIST))
		return NULL;
	__sync_fetch_and_add(&kept_by_tid, 1);
	return bpf_map_lookup_elem(&by_tid, &thread->tid);
}

/*
 * The netlink core answers every failed call at once, but not -EINTR: until then its message must be known, if every
 * answer is looked at.
 */
static __always_inline void forget(struct inflight *f, const struct thread *thread, struct slot *slot, __s32 result)
{
	f->nlh_left = every_ack && result < 0 && result != -EINTR ? f->nlh : NULL;
	f->nlh = NULL;
	f->result = result;
	if (f->nlh_left)
		return;
	if (slot) {
		slot->task = 0;
		__sync_fetch_and_add(&slot->claims, -1);
	} else if (!bpf_map_delete_elem(&by_tid, &thread->tid)) {
		__sync_fetch_and_add(&kept_by_tid, -1);
	}
}

#endif
