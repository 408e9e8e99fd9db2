#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# drip.pl [BYTES...]: copy stdin to a pipe on stdout in pieces. A piece is
# written when the reader has taken the one before. The sizes are used in
# turn, the last one for all that follows; 1 by default.
use strict;
use warnings;

my $FIONREAD = 0x541b;
my @sizes = @ARGV ? @ARGV : (1);
my $all = do { local $/; <STDIN> } // '';

for (my $at = 0; $at < length $all;) {
	my $size = @sizes > 1 ? shift @sizes : $sizes[0];
	my $n = syswrite STDOUT, $all, $size, $at;
	exit 1 unless $n;
	$at += $n;
	for (my $left = pack 'i', 1; unpack('i', $left) > 0;) {
		ioctl STDOUT, $FIONREAD, $left or last;
		select undef, undef, undef, 0.00002;
	}
}
