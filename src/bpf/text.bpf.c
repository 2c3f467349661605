// SPDX-License-Identifier: GPL-2.0
/*
 * Hands out the kernel's own code, a piece at a time, to find the calls of a function in it. Run on demand, attached
 * to nothing; it knows no instruction. An object of its own, because what is found decides how the probe is loaded.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* Divides a page, so that no piece reaches into the next one. */
#define TEXT_PIECE 512

__u8 piece[TEXT_PIECE] SEC(".data.piece") = {};

/* The piece that begins at the first argument. Negative: it cannot be read. */
SEC("raw_tp")
int read_text(struct bpf_raw_tracepoint_args *ctx)
{
	return bpf_probe_read_kernel(piece, sizeof(piece), (const void *)ctx->args[0]);
}
