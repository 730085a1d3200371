//! What only a folder can do: be read and edited by people, be locked, and survive being killed.

mod crash;
mod files;
