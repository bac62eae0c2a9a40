#include "workload.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

enum { STATIONS = 400, REMARK_MAX = 6000 };

/* One run: the connection and what it has found so far. */
typedef struct archive {
    sqlite3 *db;
    int readings;
    uint64_t random;
    workload_result result;
} archive;

const char *const workload_phase_names[WORKLOAD_PHASES] = {
    "open, create tables", "insert",  "build three indexes",
    "update and delete",   "queries", "give pages back",
};

/* ------------------------------------------------------- no file is opened */

/* The platform's VFS, but it opens no file: a spill to a file would be memory
 * that the pool does not see. */
static sqlite3_vfs no_files;
static int files_refused;

static int refuse_to_open(sqlite3_vfs *vfs, sqlite3_filename name,
                          sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs, (void)name, (void)flags, (void)out_flags;
    file->pMethods = NULL;
    files_refused++;
    return SQLITE_CANTOPEN;
}

static int open_without_files(sqlite3 **db)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_initialize();
    if (rc != SQLITE_OK) {
        return rc;
    }
    /* An earlier run may have left it in SQLite's list. */
    sqlite3_vfs_unregister(&no_files);
    no_files = *sqlite3_vfs_find(NULL);
    no_files.zName = "no-files";
    no_files.xOpen = refuse_to_open;
    rc = sqlite3_vfs_register(&no_files, 0);
    if (rc != SQLITE_OK) {
        return rc;
    }
    return sqlite3_open_v2(":memory:", db, flags, no_files.zName);
}

/* ------------------------------------------------------------ running SQL */

static int run_sql(archive *a, const char *sql)
{
    return sqlite3_exec(a->db, sql, NULL, NULL, NULL);
}

static int run_all(archive *a, const char *const *sql, size_t count)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        rc = run_sql(a, sql[i]);
    }
    return rc;
}

/* FNV-1a. A NULL column counts as a byte that no text holds. */
static void digest_column(archive *a, sqlite3_stmt *query, int column)
{
    const unsigned char *text = sqlite3_column_text(query, column);
    int length = sqlite3_column_bytes(query, column);
    uint64_t hash = a->result.digest;
    for (int i = 0; text != NULL && i < length; i++) {
        hash = (hash ^ text[i]) * 0x100000001b3;
    }
    a->result.digest = (hash ^ (text == NULL ? 0xff : 0)) * 0x100000001b3;
}

static int digest_query(archive *a, const char *sql)
{
    sqlite3_stmt *query = NULL;
    int rc = sqlite3_prepare_v2(a->db, sql, -1, &query, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }
    while ((rc = sqlite3_step(query)) == SQLITE_ROW) {
        a->result.rows++;
        for (int i = 0; i < sqlite3_column_count(query); i++) {
            digest_column(a, query, i);
        }
    }
    sqlite3_finalize(query);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* --------------------------------------------------------------- the data */

/* splitmix64: all that is random here, the same on every machine. */
static uint64_t draw(archive *a, uint64_t below)
{
    uint64_t z = a->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

/* Writes words up to `length` bytes or a little less; returns the length. */
static int write_remark(archive *a, char *remark, size_t length)
{
    static const char *const words[] = {
        "calm ",  "clear ", "drizzle ", "fog ",   "frost ",   "gale ",
        "hail ",  "haze ",  "rain ",    "sleet ", "showers ", "snow ",
        "storm ", "sun ",   "thunder ", "wind ",
    };
    size_t used = 0;
    for (;;) {
        const char *word = words[draw(a, sizeof words / sizeof *words)];
        size_t more = strlen(word);
        if (used + more > length) {
            return (int)used;
        }
        memcpy(remark + used, word, more);
        used += more;
    }
}

/* Most remarks are a few words; one in 250 is a report of some pages, which
 * SQLite chains over pages of its own. */
static size_t remark_length(archive *a)
{
    return draw(a, 250) == 0 ? draw(a, REMARK_MAX) : draw(a, 60);
}

static int insert_reading(archive *a, sqlite3_stmt *insert)
{
    char remark[REMARK_MAX];
    int length = write_remark(a, remark, remark_length(a));
    sqlite3_bind_int(insert, 1, 1 + (int)draw(a, STATIONS));
    sqlite3_bind_int(insert, 2, (int)draw(a, 3650));
    sqlite3_bind_int(insert, 3, (int)draw(a, 700) - 300);
    int rc = sqlite3_bind_text(insert, 4, remark, length, SQLITE_TRANSIENT);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(insert);
    }
    sqlite3_reset(insert);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ------------------------------------------------------------- the phases */

static int create_tables(archive *a)
{
    static const char *const sql[] = {
        "PRAGMA auto_vacuum = INCREMENTAL",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA journal_mode = MEMORY",
        "CREATE TABLE station(id INTEGER PRIMARY KEY, name TEXT, region TEXT)",
        "CREATE TABLE reading(id INTEGER PRIMARY KEY, station INTEGER"
        "  REFERENCES station, day INTEGER, tenths INTEGER, remark TEXT)",
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n"
        "  WHERE i < 400)"
        "  INSERT INTO station SELECT i, printf('station %03d', i),"
        "  substr('north east  south west  ', 1 + 6 * (i % 4), 6) FROM n",
    };
    int rc = open_without_files(&a->db);
    if (rc == SQLITE_OK) {
        /* Debian's SQLite has no lookaside. Where there is one it goes: each
         * small object is to be a block of the pool. */
        sqlite3_db_config(a->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
        rc = run_all(a, sql, sizeof sql / sizeof *sql);
    }
    return rc;
}

static int insert_readings(archive *a)
{
    sqlite3_stmt *insert = NULL;
    int rc = run_sql(a, "BEGIN");
    if (rc == SQLITE_OK) {
        rc = sqlite3_prepare_v2(a->db,
                                "INSERT INTO reading(station, day, tenths,"
                                " remark) VALUES(?, ?, ?, ?)",
                                -1, &insert, NULL);
    }
    for (int i = 0; i < a->readings && rc == SQLITE_OK; i++) {
        rc = insert_reading(a, insert);
    }
    sqlite3_finalize(insert);
    return rc == SQLITE_OK ? run_sql(a, "COMMIT") : rc;
}

static int build_indexes(archive *a)
{
    static const char *const sql[] = {
        "CREATE INDEX reading_station ON reading(station, day)",
        "CREATE INDEX reading_tenths ON reading(tenths)",
        "CREATE INDEX reading_remark ON reading(substr(remark, 1, 24))",
    };
    return run_all(a, sql, sizeof sql / sizeof *sql);
}

static int update_and_delete(archive *a)
{
    static const char *const sql[] = {
        "UPDATE reading SET tenths = tenths - 3 WHERE station % 16 = 5",
        ("UPDATE reading SET remark = remark || ' (checked by hand)'"
         "  WHERE id % 11 = 0"),
        "DELETE FROM reading WHERE station % 10 = 7",
        "DELETE FROM reading WHERE remark LIKE '%storm%hail%storm%'",
    };
    return run_all(a, sql, sizeof sql / sizeof *sql);
}

static int ask_queries(archive *a)
{
    static const char *const sql[] = {
        "SELECT count(*), sum(tenths), total(length(remark)) FROM reading",
        "SELECT region, count(*), min(tenths), max(tenths),"
        "  round(avg(tenths), 3) FROM reading JOIN station"
        "  ON station.id = station GROUP BY region ORDER BY region",
        "SELECT id, day, tenths, remark FROM reading"
        "  ORDER BY day, tenths, remark, id",
        "SELECT station, group_concat(tenths) FROM reading GROUP BY station",
        "SELECT * FROM (SELECT station, day, tenths, rank() OVER"
        "  (PARTITION BY station ORDER BY tenths, day, id) AS r FROM reading)"
        "  WHERE r <= 3 ORDER BY station, r",
        "SELECT DISTINCT day FROM reading WHERE tenths < -295 ORDER BY day",
        "SELECT name, (SELECT max(day) FROM reading WHERE station = s.id)"
        "  FROM station AS s ORDER BY name",
        "SELECT count(*) FROM reading WHERE remark LIKE '%frost%snow%'",
        "SELECT tenths, count(*) FROM reading GROUP BY tenths",
        "PRAGMA integrity_check",
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && rc == SQLITE_OK; i++) {
        rc = digest_query(a, sql[i]);
    }
    return rc;
}

static int give_pages_back(archive *a)
{
    return digest_query(a, "PRAGMA incremental_vacuum");
}

/* ---------------------------------------------------------------- the run */

static double now_seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

workload_result workload_run(int readings, workload_observer *observe,
                             void *context)
{
    static int (*const phases[WORKLOAD_PHASES])(archive *) = {
        create_tables,     insert_readings, build_indexes,
        update_and_delete, ask_queries,     give_pages_back,
    };
    archive a = {.readings = readings, .random = 1};
    a.result.digest = 0xcbf29ce484222325;
    files_refused = 0;
    for (int i = 0; i < WORKLOAD_PHASES && a.result.rc == SQLITE_OK; i++) {
        double start = now_seconds();
        a.result.rc = phases[i](&a);
        a.result.seconds[i] = now_seconds() - start;
        if (a.result.rc == SQLITE_OK && observe != NULL) {
            observe(i, context);
        }
    }
    int rc = sqlite3_close(a.db);
    a.result.rc = a.result.rc == SQLITE_OK ? rc : a.result.rc;
    a.result.files = files_refused;
    return a.result;
}
