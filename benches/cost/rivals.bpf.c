// SPDX-License-Identifier: GPL-2.0
/*
 * What the probe is compared with: an empty pair of programs, which is the floor of any pair; and the way of 2021, a
 * probe on each of nine handlers and an event a call through a perf buffer, which wakes its reader at each. Written for
 * the bench from the description of that tool: it copies name, process and time, and knows no result.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define IPSET_ATTR_SETNAME 2
#define IPSET_ATTR_TYPENAME 3
#define NAME 32

struct event {
	__u64 time;
	__u32 pid;
	__u32 op;
	char comm[16];
	char set[NAME];
	char type[NAME];
};

struct nlattr {
	__u16 nla_len;
	__u16 nla_type;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(int));
	__uint(value_size, sizeof(int));
} events SEC(".maps");

SEC("kprobe")
int empty_enter(struct pt_regs *ctx)
{
	return 0;
}

SEC("kretprobe")
int empty_leave(struct pt_regs *ctx)
{
	return 0;
}

static __always_inline void copy_name(char *to, const struct nlattr *const *attrs, int number)
{
	const struct nlattr *attr = NULL;

	bpf_probe_read_kernel(&attr, sizeof(attr), attrs + number);
	if (attr)
		bpf_probe_read_kernel_str(to, NAME, attr + 1);
}

static __always_inline int tell(struct pt_regs *ctx, __u32 op)
{
	/* The attributes are a handler's third argument since 5.13. */
	const struct nlattr *const *attrs = (void *)PT_REGS_PARM3(ctx);
	struct event e = { .time = bpf_ktime_get_ns(), .pid = bpf_get_current_pid_tgid() >> 32, .op = op };

	bpf_get_current_comm(&e.comm, sizeof(e.comm));
	copy_name(e.set, attrs, IPSET_ATTR_SETNAME);
	copy_name(e.type, attrs, IPSET_ATTR_TYPENAME);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}

#define HANDLER(name, op) SEC("kprobe/ip_set_" #name) int on_##name(struct pt_regs *ctx) { return tell(ctx, op); }
HANDLER(create, 2)
HANDLER(destroy, 3)
HANDLER(flush, 4)
HANDLER(rename, 5)
HANDLER(swap, 6)
HANDLER(dump, 7)
HANDLER(uadd, 9)
HANDLER(udel, 10)
HANDLER(utest, 11)
