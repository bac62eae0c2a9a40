/* SQLite makes tables and an index, and answers questions. */
#include "oom.h"

#include <sqlite3.h>
#include <string.h>

static const char script[] =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n REAL);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
    "WHERE i < 60) INSERT INTO t SELECT i, 'name' || (i * 37 % 60), i / 3.0 "
    "FROM c;"
    "CREATE INDEX by_name ON t (name);"
    "BEGIN; UPDATE t SET n = n + 1 WHERE id % 3 = 0;"
    "DELETE FROM t WHERE id % 7 = 0; COMMIT;"
    "SELECT name, n FROM t WHERE name LIKE 'name1%' ORDER BY name;"
    "SELECT a.name, group_concat(b.id) FROM t a JOIN t b ON b.id = a.id + 1 "
    "GROUP BY a.id % 5 ORDER BY 1;"
    "PRAGMA integrity_check;";

static int row(void *digest, int columns, char **values, char **names)
{
    for (int i = 0; i < columns; i++) {
        oom_add(digest, names[i], strlen(names[i]));
        if (values[i] != NULL)
            oom_add(digest, values[i], strlen(values[i]));
    }
    return 0;
}

oom_answer oom_work(uint64_t *digest)
{
    sqlite3 *database = NULL;
    int code = sqlite3_open(":memory:", &database);
    if (code == SQLITE_OK)
        code = sqlite3_exec(database, script, row, digest, NULL);
    if (sqlite3_close(database) != SQLITE_OK)
        return OOM_WRONG;
    if (code == SQLITE_OK)
        return OOM_DONE;
    return code == SQLITE_NOMEM ? OOM_NO_MEMORY : OOM_WRONG;
}
