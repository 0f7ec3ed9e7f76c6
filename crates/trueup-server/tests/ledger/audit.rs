//! Whether a ledger adds up, read from its database without any of its code.

use sqlx::{Connection as _, PgConnection, SqliteConnection};

/// Counters differ from the sums of their entries.
const COUNTERS: &str = "SELECT b.account_id || ' ' || b.meter FROM balance b LEFT JOIN entry e \
     ON e.account_id = b.account_id AND e.meter = b.meter AND e.window_number = b.window_number \
     GROUP BY b.account_id, b.meter \
     HAVING b.used <> COALESCE(SUM(e.used), 0) OR b.held <> COALESCE(SUM(e.held), 0)";
/// What is held differs from the open holds.
const HOLDS: [&str; 2] = [
    "SELECT b.account_id || ' ' || b.meter FROM balance b \
     LEFT JOIN operation o ON o.account_id = b.account_id AND o.state = 'held' \
     LEFT JOIN json_each(o.holds) h ON h.value ->> 'meter' = b.meter \
     AND h.value ->> 'window' = b.window_number \
     GROUP BY b.account_id, b.meter HAVING b.held <> COALESCE(SUM(h.value ->> 'units'), 0)",
    "SELECT b.account_id || ' ' || b.meter FROM balance b LEFT JOIN (\
     SELECT o.account_id, h.value ->> 'meter' AS meter, (h.value ->> 'window')::bigint AS window_number, \
     (h.value ->> 'units')::bigint AS units \
     FROM operation o, json_array_elements(o.holds::json) h WHERE o.state = 'held') h \
     ON h.account_id = b.account_id AND h.meter = b.meter AND h.window_number = b.window_number \
     GROUP BY b.account_id, b.meter HAVING b.held <> COALESCE(SUM(h.units), 0)",
];
/// Versions have holes.
const VERSIONS: &str = "SELECT a.account_id FROM account a \
     LEFT JOIN entry e ON e.account_id = a.account_id GROUP BY a.account_id \
     HAVING a.version <> COUNT(DISTINCT e.version) OR a.version <> COALESCE(MAX(e.version), 0)";

/// Reads the database and checks, without any of the ledger's code, that every counter is the sum of
/// its entries, that open holds add up to what is held, and that versions have no holes.
pub async fn audit(url: &str) {
    let mut wrong: Vec<(String,)> = Vec::new();
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        for sql in [COUNTERS, HOLDS[0], VERSIONS] {
            wrong.extend(sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap());
        }
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for sql in [COUNTERS, HOLDS[1], VERSIONS] {
            wrong.extend(sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap());
        }
        connection.close().await.unwrap();
    }
    assert!(wrong.is_empty(), "the ledger does not add up: {wrong:?}");
}
