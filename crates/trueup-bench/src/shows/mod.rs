//! Shows: what must hold is tried again and again, in the worst of circumstances.

pub mod crash;
pub mod life;
pub mod race;
pub mod replicas;

use crate::postgres::Postgres;
use crate::trueup::Setup;
use crate::{Databases, Failure, Ground};

/// A database to run a show on.
struct Stage {
    name: &'static str,
    /// It is stopped with the stage.
    postgres: Option<Postgres>,
}

impl Stage {
    fn all(databases: Databases, ground: &Ground) -> Result<Vec<Self>, Failure> {
        let mut stages = Vec::new();
        if databases.has_sqlite() {
            stages.push(Self { name: "SQLite", postgres: None });
        }
        if databases.has_postgres() {
            let postgres = Some(Postgres::start(&ground.scratch)?);
            stages.push(Self { name: "Postgres", postgres });
        }
        Ok(stages)
    }

    /// An empty database.
    async fn database(&self, ground: &Ground, name: &str) -> Result<String, Failure> {
        match &self.postgres {
            Some(postgres) => postgres.database(name).await,
            None => Ok(Setup::sqlite(&ground.scratch, name)),
        }
    }
}
