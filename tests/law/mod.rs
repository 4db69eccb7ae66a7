//! Tests of room `law`.
