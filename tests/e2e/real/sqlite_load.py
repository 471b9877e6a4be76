# SPDX-License-Identifier: BSD-2-Clause
"""Prints SQL for the sqlite3 shell, without end."""
import itertools

try:
    print("create table t (id integer primary key, name text, value real); create index by_name on t (name);")
    for n in itertools.count():
        print("begin;")
        for i in range(200):
            print(f"insert into t (name, value) values ('name{200 * n + i}', {1.5 * i});")
        print("commit;")
        print("select count(*), avg(value) from t where name like 'name1%' group by substr(name, 1, 6) limit 3;")
        print("select json_group_array(name) from (select name from t order by value desc limit 50);")
        print("with recursive f(x) as (values(1) union all select x + 1 from f where x < 500) select sum(x) from f;")
        print("delete from t where id % 3 = 0 and id > (select max(id) - 100 from t);")
except BrokenPipeError:
    pass
