-- What changed in (since, version] is read from the entries, which stand in that order: an index of its
-- own cost every operation another page.
DROP INDEX operation_by_version;
