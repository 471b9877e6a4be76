# SPDX-License-Identifier: BSD-2-Clause
# `readelf --debug-dump=frames-interp` -> one line for each row, as `dwunw cfi` prints them:
#   START END cfa=REG+OFF|exp  REG=RULE ...
# For files of either word size; addresses are padded to 16 digits. What readelf does differently is undone:
# - a FDE without instructions is printed without a row: it has its CIE's;
# - an advance by 0 gives a row that is in force nowhere;
# - rules that are unspecified appear as "u" where a column exists, as undefined ones do: neither is printed.

function address(text)
{
	return substr("0000000000000000" text, length(text) + 1)
}

# The row read last is in force up to `next_loc`.
function flush_row(next_loc)
{
	if (!pending)
		return
	pending = 0
	if (in_cie)
		cie_row[cie] = row
	else if (loc < next_loc) {
		print loc, next_loc, row
		n_rows++
	}
}

function finish()
{
	flush_row(end)
	if (in_fde && !n_rows)
		print start, end, cie_row[cie]
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
	split(substr($6, 4), range, /\.\./)
	start = address(range[1])
	end = address(range[2])
	if (start == end || start == "0000000000000000")
		next
	in_fde = 1
	n_rows = 0
	next
}

$2 == "ZERO" {
	next
}

$1 == "LOC" {
	for (i = 3; i <= NF; i++)
		name[i] = $i
	next
}

NF >= 2 && (length($1) == 16 || length($1) == 8) && $1 ~ /^[0-9a-f]+$/ && (in_cie || in_fde) {
	at = address($1)
	if (at != loc)
		flush_row(at < end || in_cie ? at : end)
	loc = at
	row = "cfa=" $2
	gap = "  "
	column = 3
	for (i = 3; i <= NF; i++) {
		rule = $i
		# A register is printed twice: r8 (s0).
		if ($(i + 1) ~ /^\(/) {
			i++
			rule = substr($i, 2, length($i) - 2)
		}
		if (rule != "u") {
			row = row gap name[column] "=" rule
			gap = " "
		}
		column++
	}
	pending = 1
}

END {
	finish()
}
