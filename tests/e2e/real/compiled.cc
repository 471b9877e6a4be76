// SPDX-License-Identifier: BSD-2-Clause
// What the compiler is given to do while it is traced.
#include <bits/stdc++.h>

int main()
{
	std::map<std::string, std::vector<int>> lists;
	std::regex pattern("a+b");

	for (int i = 0; i < 100; i++)
		lists[std::to_string(i % 7)].push_back(i);
	for (auto &list : lists)
		std::sort(list.second.begin(), list.second.end(), std::greater<>());
	return std::regex_match("ab", pattern) ? 0 : 1;
}
