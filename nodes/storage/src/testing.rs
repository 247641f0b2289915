//! A file for tests: a shelf of books.

use rusqlite::Connection;

use crate::{DatabaseError, Failure, Format, Memory, Transaction};

pub(crate) static SHELF: Format = Format {
    name: "shelf",
    user: "librarian",
    items: "books",
    application_id: *b"test",
    version: 1,
    tables: "CREATE TABLE books (number INTEGER PRIMARY KEY, text BLOB NOT NULL) STRICT;",
    older: &[],
    reserve_mb: 3,
    checked_mb: 1,
};

/// How many books there are.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) books: u64,
    before: u64,
}

impl Memory for Shelf {
    fn load(connection: &Connection) -> Result<Self, DatabaseError> {
        let books = count(connection)?;
        Ok(Self { books, before: books })
    }

    fn begin(&mut self) {
        self.before = self.books;
    }

    fn roll_back(&mut self) {
        self.books = self.before;
    }
}

pub(crate) fn count(connection: &Connection) -> Result<u64, DatabaseError> {
    let books = connection.query_row("SELECT count(*) FROM books", [], |row| row.get(0));
    SHELF.attempt("count its books", books)
}

/// Puts books of 2000 bytes on the shelf.
pub(crate) fn put(
    transaction: &mut Transaction<'_, Shelf>,
    books: u64,
) -> Result<(), DatabaseError> {
    transaction.must_have_room()?;
    for _ in 0..books {
        let sql = "INSERT INTO books (text) VALUES (?1)";
        let inserted = transaction.connection().execute(sql, [vec![7_u8; 2000]]);
        SHELF.attempt("put a book on it", inserted)?;
    }
    transaction.memory_mut().books += books;
    Ok(())
}

/// Some work refuses.
#[derive(Debug)]
pub(crate) enum Refusal {
    Forbidden,
    File(DatabaseError),
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        Self::File(error)
    }
}

impl Failure for Refusal {
    fn into_database(self) -> Result<DatabaseError, Self> {
        match self {
            Self::File(error) => Ok(error),
            Self::Forbidden => Err(self),
        }
    }
}
