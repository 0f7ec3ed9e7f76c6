-- What a request said beyond its charge, in 16 bytes: tells a retry from another request that uses
-- the same operation id.
ALTER TABLE operation ADD COLUMN held_content BLOB;
ALTER TABLE operation ADD COLUMN settled_content BLOB;
