//! Tests of room `law`.

mod expr;
mod expr_messages;
mod expr_property;
mod expr_random;
mod expr_sql;
mod expr_world;
