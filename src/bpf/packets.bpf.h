/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packet path: what the SET target of iptables adds to sets and deletes from them, through ip_set_add() and
 * ip_set_del(). Attached only when asked for. It adds up here, in the kernel, by network namespace, set, command and
 * hook, so that a flood of packets is no flood of records. Nobody is named: the task that runs is not the author.
 */
#ifndef IPSETAUDIT_PACKETS_BPF_H
#define IPSETAUDIT_PACKETS_BPF_H

#define IPSET_ERR_EXIST 4103
#define IPSET_FLAG_EXIST 1

/* As ip_set and the SET target agree on it; not in vmlinux's BTF, and on old kernels in none. */
struct xt_action_param {
	const void *target;
	const void *targinfo;
	struct nf_hook_state *state;
};

struct ip_set_adt_opt {
	__u8 family;
	__u8 dim;
	__u8 flags;
	__u32 cmdflags;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct nf_hook_state { __u8 hook; struct net *net; };
#pragma clang attribute pop

/*
 * Where the function's return address is, seen from its entry and from its return: what pairs the two. Task or CPU
 * cannot, for a packet may come in on top of another one, or of a process that sends one.
 */
#if defined(__TARGET_ARCH_x86)
#define FRAME_ON_RETURN(ctx) (PT_REGS_SP(ctx) - sizeof(void *))
#else
#define FRAME_ON_RETURN(ctx) PT_REGS_SP(ctx)
#endif
#define FRAME_ON_ENTRY(ctx) PT_REGS_SP(ctx)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct packet_key);
} packets_under_way SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PACKET_KEYS);
	__type(key, struct packet_key);
	__type(value, struct packet_counts);
} packets SEC(".maps");

/* Makes the build emit them as Rust types. */
const struct packet_key wire_packet_key = {};
const struct packet_counts wire_packet_counts = {};

static __always_inline int packet_enters(struct pt_regs *ctx, __u8 cmd)
{
	struct xt_action_param *par = (void *)PT_REGS_PARM3(ctx);
	struct ip_set_adt_opt *opt = (void *)PT_REGS_PARM4(ctx);
	__u64 frame = FRAME_ON_ENTRY(ctx);
	struct packet_key key = { .set_index = PT_REGS_PARM1(ctx), .cmd = cmd };
	struct nf_hook_state *state;
	__u32 flags;

	if (bpf_probe_read_kernel(&state, sizeof(state), &par->state) ||
	    bpf_probe_read_kernel(&flags, sizeof(flags), &opt->cmdflags))
		return 0;
	key.netns = BPF_CORE_READ(state, net, ns.inum);
	key.hook = BPF_CORE_READ(state, hook);
	key.exist = flags & IPSET_FLAG_EXIST;
	bpf_map_update_elem(&packets_under_way, &frame, &key, BPF_ANY);
	return 0;
}

SEC("kprobe")
int packet_add(struct pt_regs *ctx)
{
	return packet_enters(ctx, IPSET_CMD_ADD);
}

SEC("kprobe")
int packet_del(struct pt_regs *ctx)
{
	return packet_enters(ctx, IPSET_CMD_DEL);
}

/* A packet that cannot be counted here is missing in the sum: the kernel counts how often the probe was met. */
SEC("kretprobe")
int BPF_KRETPROBE(packet_leave, int result)
{
	static const struct packet_counts none = {};
	__u64 frame = FRAME_ON_RETURN(ctx);
	struct packet_key key, *kept = bpf_map_lookup_elem(&packets_under_way, &frame);
	struct packet_counts *n;

	if (!kept)
		return 0;
	key = *kept;
	bpf_map_delete_elem(&packets_under_way, &frame);
	n = bpf_map_lookup_elem(&packets, &key);
	if (!n) {
		bpf_map_update_elem(&packets, &key, &none, BPF_NOEXIST);
		n = bpf_map_lookup_elem(&packets, &key);
	}
	if (!n)
		return 0;
	if (!result) {
		__sync_fetch_and_add(&n->applied, 1);
	} else if (result == -IPSET_ERR_EXIST) {
		__sync_fetch_and_add(&n->unchanged, 1);
	} else {
		n->error = result;
		__sync_fetch_and_add(&n->failed, 1);
	}
	return 0;
}

#endif
