/* SPDX-License-Identifier: MIT */
/* The two receivers: the cloud, and a metrics store. */
#include "k6push/send/receiver.h"

#include "k6push/send/outcome_remote.h"

const struct receiver receiver_cloud = { outcome_of, outcome_describe, true };
const struct receiver receiver_remote = { outcome_remote,
	outcome_remote_describe, false };
