//! What the API's description says of one operation of a batch.

use utoipa::openapi::schema::{Object, OneOfBuilder, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use super::OperationRequest;
use crate::request::{ExtendRequest, HoldRequest, ReleaseRequest, SettleRequest};

impl ToSchema for OperationRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        <SettleRequest as ToSchema>::schemas(schemas);
    }
}

/// Made of the single calls' own, so that they cannot differ. Each is closed, and a closed schema
/// cannot be added to from outside: `kind` and `op_id` are put inside.
impl PartialSchema for OperationRequest {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .description(Some("The body of a single call, with its `kind` and `op_id`."))
            .item(tagged("hold", HoldRequest::schema()))
            .item(tagged("settle", SettleRequest::schema()))
            .item(tagged("release", ReleaseRequest::schema()))
            .item(tagged("extend", ExtendRequest::schema()));
        one_of.into()
    }
}

fn tagged(kind: &str, schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = schema else { return schema };
    let text =
        |description| ObjectBuilder::new().schema_type(Type::String).description(description);
    let word = text(Some("Which of the single calls.")).enum_values(Some([kind]));
    add(&mut object, "kind", word.build());
    add(&mut object, "op_id", text(Some("The operation, a `UUIDv7`.")).build());
    object.description = None;
    RefOr::T(Schema::Object(object))
}

fn add(object: &mut Object, name: &str, schema: Object) {
    if !object.properties.contains_key(name) {
        object.properties.insert(name.to_owned(), schema.into());
        object.required.push(name.to_owned());
    }
}
