/* SPDX-License-Identifier: MIT */
/* zst: Zstandard of inputs that are read. libzstd stays in here. */
#ifndef K6PIPE_IO_ZST_H
#define K6PIPE_IO_ZST_H

#include "base/unpack.h"

/* Streams of any length, frame by frame, with windows up to 128 MiB. */
extern const struct codec zst_codec;

#endif
