//! The one engine configuration: for code compiled at build time, at install time, and for running it.

use std::num::NonZeroUsize;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::Limits;
use crate::code;

/// The target that this crate was compiled for, as cargo names it.
pub const TARGET: &str = env!("WEIR_TARGET");

/// How much of its memory a free place in the pool keeps mapped; what was in it is gone all the same.
const KEPT_BYTES: usize = 1 << 20;

/// What host calls may take of a guest's stack beyond what the guest itself may.
const HOST_STACK: usize = 4 << 20;

/// How many calls can be on the way at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) calls: u32,
}

/// The configuration for code that runs on `target`. Everything in it that shapes the code is here and nowhere else; what
/// is added for running ([`with_pool`]) changes no code.
///
/// The CPU is the baseline of the architecture and not that of the machine at hand (for x86-64 the level of 2009,
/// x86-64-v2), so that what was compiled on one machine runs on another.
pub(crate) fn engine_config(target: &str) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config.target(target)?;
    if target.starts_with("x86_64") {
        code::enable_cpu_features(
            &mut config,
            &[
                "has_sse3",
                "has_ssse3",
                "has_sse41",
                "has_sse42",
                "has_popcnt",
            ],
        );
    }
    let stack = usize::try_from(Limits::CEILING.stack_bytes).unwrap_or(usize::MAX);
    config
        .cranelift_opt_level(OptLevel::Speed)
        .consume_fuel(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack.saturating_add(HOST_STACK))
        .wasm_backtrace_max_frames(NonZeroUsize::new(40))
        .generate_address_map(true)
        // Nothing unwinds through a guest but wasmtime itself, which has tables of its own.
        .native_unwind_info(false)
        .memory_init_cow(true)
        // The answers of a guest must not depend on the machine.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .concurrency_support(false);
    Ok(config)
}

/// Takes instances from a pool: an instance's memory is mapped copy-on-write from its image, and unmapped afterwards.
pub(crate) fn with_pool(config: &mut Config, pool: Pool) {
    let limit = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    // A component made from one module has up to three more for its adapters, none of them with a memory of its own.
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(pool.calls)
        .total_stacks(pool.calls)
        .total_core_instances(pool.calls * 6)
        .total_memories(pool.calls * 2)
        .total_tables(pool.calls * 4)
        .max_core_instances_per_component(24)
        .max_memories_per_component(8)
        .max_tables_per_component(24)
        .max_memories_per_module(4)
        .max_tables_per_module(8)
        .table_elements(limit(Limits::CEILING.table_elements))
        .max_memory_size(limit(Limits::CEILING.memory_bytes))
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        // What a short call touches is cleaned by copying: mapping it anew costs more than the call.
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(KEPT_BYTES)
        .pagemap_scan(Enabled::Auto);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
}
