# SPDX-License-Identifier: BSD-2-Clause
# `readelf -wF` -> the form of dump_rows.
# What readelf does differently is undone here:
# - a FDE without instructions is printed without a row: it has its CIE's;
# - an advance by 0 gives a row that is in force nowhere;
# - rules that are unspecified appear as "u" where a column exists.

function flush_row()
{
	if (!pending)
		return
	if (in_cie)
		cie_row[cie] = row
	else if (loc < end) {
		print loc row
		n_rows++
	}
	pending = 0
}

function finish()
{
	flush_row()
	if (in_fde && !n_rows)
		print start cie_row[cie]
	in_fde = in_cie = 0
}

$4 == "CIE" {
	finish()
	in_cie = 1
	cie = $1
	next
}

$4 == "FDE" {
	finish()
	cie = substr($5, 5)
	start = substr($6, 4, 16)
	end = substr($6, 22, 16)
	if (start == end || start == "0000000000000000")
		next
	in_fde = 1
	n_rows = 0
	print "FDE " start ".." end
	next
}

$1 == "LOC" {
	for (i = 3; i <= NF; i++)
		name[i] = $i
	next
}

NF >= 2 && length($1) == 16 && $1 ~ /^[0-9a-f]+$/ && (in_cie || in_fde) {
	# As text: 00000000000e0200 is also a number.
	if ("" $1 != loc)
		flush_row()
	loc = "" $1
	row = " " $2
	column = 3
	for (i = 3; i <= NF; i++) {
		# A register is printed twice: r8 (r8).
		if ($i ~ /^\(/)
			continue
		if ($i != "u")
			row = row " " name[column] "=" $i
		column++
	}
	pending = 1
}

END {
	finish()
}
