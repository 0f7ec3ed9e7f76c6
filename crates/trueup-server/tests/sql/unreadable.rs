//! Ways to hide a statement from the reader: each is a complaint.

use super::source::{self, Reading};

fn read(path: &str, text: &str) -> Reading {
    source::read(&[(path.to_owned(), text.to_owned())])
}

#[test]
fn statements_are_put_together_from_what_they_are_written_in() {
    let reading = read(
        "store/sqlite/load.rs",
        r#"
        const DUE: &str = "SELECT 7";
        macro_rules! columns { ($id:literal) => { concat!("a, ", $id, ", b") }; }
        /// SELECT is only a word here.
        async fn all(pool: &Pool) {
            sqlx::query("SELECT 1").execute(pool).await;
            sqlx::query_as::<_, Row>(concat!("SELECT ", columns!("c::text"), " FROM account")).fetch(pool);
            let ours = "SELECT 2";
            sqlx::query(ours).execute(pool).await;
            sqlx::query_scalar(DUE).execute(pool).await;
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            pool.execute("SELECT 3").await;
            for chunk in chunks {
                let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO account (account_id, version) ");
                query.push_values(chunk, |mut row, it| { row.push_bind(it.a).push_bind(it.b); });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(pool).await;
            }
        }
        "#,
    );
    assert!(reading.complaints.is_empty(), "{:?}", reading.complaints);
    let texts: Vec<_> = reading.statements.iter().map(|it| it.text.as_str()).collect();
    let expected = [
        "SELECT 1",
        "SELECT a, c::text, b FROM account",
        "SELECT 2",
        "SELECT 7",
        "BEGIN IMMEDIATE",
        "SELECT 3",
        "INSERT INTO account (account_id, version) VALUES (?, ?) ON CONFLICT DO NOTHING",
    ];
    for text in expected {
        assert!(texts.contains(&text), "{text}: {texts:?}");
    }
    assert_eq!(texts.len(), expected.len(), "{texts:?}");
    assert!(reading.statements.iter().all(|it| it.place == "sqlite::load::all"));
}

#[test]
fn what_cannot_be_read_is_a_complaint() {
    for body in [
        r#"sqlx::query(&format!("SELECT {column} FROM account"));"#,
        r#"sqlx::query(AssertSqlSafe(text));"#,
        r#"sqlx::query(text);"#,
        r#"sqlx::query_as(self.text);"#,
        r#"sqlx::raw_sql(&text);"#,
        r#"sqlx::query!("SELECT 1");"#,
        r#"query_as("SELECT 1");"#,
        r#"tokio::join!(sqlx::query("SELECT 1").execute(pool));"#,
        r#"let sql = "SELECT 1"; run(sql);"#,
        r#"run("delete from account");"#,
        r#"pool.begin_with(text).await;"#,
        r#"QueryBuilder::<Sqlite>::new("SELECT 1").build();"#,
        r#"let mut query = QueryBuilder::new(text);"#,
        r#"let mut query = QueryBuilder::new("SELECT "); query.push(text);"#,
        r#"let mut query = QueryBuilder::new("SELECT "); query.separated(", ");"#,
    ] {
        let reading = read("store/postgres/mod.rs", &format!("fn go() {{ {body} }}"));
        assert!(!reading.complaints.is_empty(), "{body}: {:?}", reading.statements);
    }
    let handed_on = "fn go(query: &mut QueryBuilder<Sqlite>) { query.push(\" LIMIT 1\"); }";
    assert!(!read("store/sqlite/write.rs", handed_on).complaints.is_empty());
    assert!(!read("store/sqlite/write.rs", "fn go() {").complaints.is_empty());
}

#[test]
fn sql_outside_the_store_is_a_complaint() {
    for body in [
        r#"sqlx::query("SELECT 1").execute(pool);"#,
        r#"let text = "SELECT version FROM account WHERE account_id = $1";"#,
        r#"pool.execute("NOTIFY changes");"#,
    ] {
        let text = format!("fn go() {{ {body} }}");
        assert!(!read("http/usage.rs", &text).complaints.is_empty(), "{body}");
    }
}
