/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few kernel fields that we read, as CO-RE types: the loader looks up their true offsets in the running kernel's
 * BTF. Only the names must be right; order and what is left out do not matter. None was renamed from 5.10 to 7.3.
 */
#ifndef IPSETAUDIT_KERNEL_H
#define IPSETAUDIT_KERNEL_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct { __u32 val; } kuid_t;
typedef struct { __u32 val; } kgid_t;

struct qstr { const unsigned char *name; };
struct hlist_bl_node { struct hlist_bl_node **pprev; };
struct dentry { struct hlist_bl_node d_hash; struct dentry *d_parent; struct qstr d_name; };
struct vfsmount { struct dentry *mnt_root; };
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; };
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file { struct path f_path; };
struct mm_struct { struct file *exe_file; unsigned long arg_start; unsigned long arg_end; };

struct kernfs_node { const char *name; struct kernfs_node *parent; };
struct kernfs_node___rcu { struct kernfs_node *__parent; };
struct cgroup { struct kernfs_node *kn; };
struct cgroup_subsys_state { struct cgroup *cgroup; };
struct css_set { struct cgroup_subsys_state *subsys[1]; struct cgroup *dfl_cgrp; };

struct tty_struct { char name[64]; };
struct signal_struct { struct tty_struct *tty; };

struct ns_common { __u32 inum; };
struct net { struct ns_common ns; };
struct nsproxy { struct net *net_ns; };

struct cred { kuid_t uid; kgid_t gid; };

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	__u64 start_boottime;
	__u64 self_exec_id;
	unsigned long nvcsw;
	unsigned long nivcsw;
	kuid_t loginuid;
	__u32 sessionid;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct signal_struct *signal;
	struct nsproxy *nsproxy;
	const struct cred *cred;
};

typedef struct { struct net *net; } possible_net_t;
struct sock_common { possible_net_t skc_net; };
struct sock { struct sock_common __sk_common; __u16 sk_protocol; };
struct sk_buff { struct sock *sk; unsigned int len; unsigned char *data; char cb[48]; };
struct netlink_skb_parms { __u32 portid; };
struct netlink_callback { struct sk_buff *skb; };

/* Nothing but 64-bit words, 23 of them and more: as which any memory can be read where loads go by types. */
struct rtnl_link_stats64 { __u64 rx_packets; };

#pragma clang attribute pop

/* Fixed by the netlink ABI, so no CO-RE. */
struct nlmsghdr {
	__u32 nlmsg_len;
	__u16 nlmsg_type;
	__u16 nlmsg_flags;
	__u32 nlmsg_seq;
	__u32 nlmsg_pid;
};

struct nlmsgerr {
	__s32 error;
	struct nlmsghdr msg;
};

struct nfgenmsg {
	__u8 nfgen_family;
	__u8 version;
	__u16 res_id;	/* big-endian */
};

struct nlattr {
	__u16 nla_len;
	__u16 nla_type;
};

#endif
