/**
 * The options that each recipe knows.
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as Effect from "effect/Effect"
import type * as Allocator from "../../Allocator.ts"
import type * as AtomicValue from "../../AtomicValue.ts"
import type * as Barrier from "../../Barrier.ts"
import type * as ChildrenCache from "../../ChildrenCache.ts"
import type * as Counter from "../../Counter.ts"
import type * as DoubleBarrier from "../../DoubleBarrier.ts"
import type * as IdGenerator from "../../IdGenerator.ts"
import type * as LeaderElection from "../../LeaderElection.ts"
import type * as Lease from "../../Lease.ts"
import type * as Lock from "../../Lock.ts"
import type * as NodeCache from "../../NodeCache.ts"
import type * as Party from "../../Party.ts"
import type * as PersistentNode from "../../PersistentNode.ts"
import type * as Queue from "../../Queue.ts"
import type * as ReadWriteLock from "../../ReadWriteLock.ts"
import type * as Semaphore from "../../Semaphore.ts"
import type * as ServiceDiscovery from "../../ServiceDiscovery.ts"
import type * as TreeCache from "../../TreeCache.ts"
import type { ContentionOptions } from "../values/contention.ts"
import { checkTimeout } from "./validate.ts"

/** The failure of options that are none. */
export const invalidOptions = <O>(
  known: KnownOptions.KnownOptions<O>,
  options: unknown
): Effect.Effect<never, InvalidArgument> | undefined => {
  const mistake = KnownOptions.check(known, options)
  return mistake === undefined ? undefined : Effect.fail(mistake)
}

/** Fails if the options are none. */
export const checkOptions = <O>(
  known: KnownOptions.KnownOptions<O>,
  options: unknown,
  argument?: string
): Effect.Effect<void, InvalidArgument> => {
  const mistake = KnownOptions.check(known, options, argument)
  return mistake === undefined ? Effect.void : Effect.fail(mistake)
}

/** The timeout of options that have one, in milliseconds; undefined for none. */
export const checkedTimeout = <O extends Lock.AcquireOptions>(
  known: KnownOptions.KnownOptions<O>,
  options: O | undefined
): Effect.Effect<number | undefined, InvalidArgument> =>
  Effect.suspend(() => {
    const mistake = KnownOptions.check(known, options)
    return mistake === undefined ? checkTimeout(options?.timeout) : Effect.fail(mistake)
  })

// -----------------------------------------------------------------------------
// of methods
// -----------------------------------------------------------------------------

const waiting = '{ timeout: "5 seconds" }'

export const acquire = KnownOptions.make<Lock.AcquireOptions>({ timeout: true }, waiting)
export const read = KnownOptions.make<ReadWriteLock.ReadOptions>({ timeout: true, downgrade: true }, waiting)
export const wait = KnownOptions.make<Barrier.WaitOptions>({ timeout: true }, waiting)
export const join = KnownOptions.make<Party.JoinOptions>(
  { id: true, data: true, onConflict: true, expiryTimeout: true },
  '{ id: "worker-1" }'
)
export const provider = KnownOptions.make<ServiceDiscovery.ProviderOptions<unknown>>(
  { strategy: true, downInstances: true, filter: true },
  '{ strategy: "random" }'
)
export const downInstances = KnownOptions.make<ServiceDiscovery.DownInstances>(
  { threshold: true, timeout: true },
  "{ threshold: 2 }"
)

// -----------------------------------------------------------------------------
// of what is held
// -----------------------------------------------------------------------------

const identified = '{ identifier: "worker-1" }'

export const lock = KnownOptions.make<Lock.Options>(
  { layout: true, identifier: true, acl: true, onDisconnect: true },
  identified
)
export const readWriteLock = KnownOptions.make<ReadWriteLock.Options>(
  { identifier: true, acl: true, onDisconnect: true },
  identified
)
export const semaphore = KnownOptions.make<Semaphore.Options>(
  { permits: true, identifier: true, acl: true, onDisconnect: true },
  "{ permits: 3 }"
)
export const sharedPermits = KnownOptions.make<Semaphore.SharedPermits>(
  { at: true, initial: true },
  '{ at: "/permits", initial: 3 }'
)
export const lease = KnownOptions.make<Lease.Options>(
  { duration: true, limit: true, identifier: true, acl: true },
  '{ duration: "1 minute" }'
)
export const election = KnownOptions.make<LeaderElection.Options>(
  { layout: true, identifier: true, acl: true, onDisconnect: true },
  identified
)

// -----------------------------------------------------------------------------
// of groups
// -----------------------------------------------------------------------------

export const barrier = KnownOptions.make<Barrier.Options>({ data: true, acl: true }, '{ data: "why" }')
export const doubleBarrier = KnownOptions.make<DoubleBarrier.Options>(
  { size: true, data: true, acl: true },
  "{ size: 3 }"
)
export const party = KnownOptions.make<Party.Options>(
  { layout: true, filter: true, acl: true },
  '{ layout: "curator" }'
)
export const allocator = KnownOptions.make<Allocator.Options>(
  {
    id: true,
    data: true,
    onConflict: true,
    expiryTimeout: true,
    items: true,
    assign: true,
    quiet: true,
    acl: true,
    onDisconnect: true
  },
  '{ items: ["a", "b"] }'
)
export const persistentNode = KnownOptions.make<PersistentNode.Options>(
  {
    data: true,
    mode: true,
    ttl: true,
    protected: true,
    parents: true,
    restore: true,
    acl: true,
    wait: true,
    deleteOnClose: true
  },
  '{ data: "..." }'
)
export const serviceDiscovery = KnownOptions.make<ServiceDiscovery.Options<unknown, unknown>>(
  { schema: true, payloadClass: true, acl: true },
  "{ schema: Schema.Unknown }"
)
export const registrant = KnownOptions.make<ServiceDiscovery.Registrant<unknown>>(
  {
    name: true,
    id: true,
    address: true,
    port: true,
    sslPort: true,
    payload: true,
    serviceType: true,
    uriSpec: true,
    enabled: true
  },
  '{ name: "web", address: "10.0.0.7", port: 80, payload: null }'
)

// -----------------------------------------------------------------------------
// of values and queues
// -----------------------------------------------------------------------------

const contention: { readonly [K in keyof ContentionOptions]-?: true } = { attempts: true, promote: true }

export const promote = KnownOptions.make<NonNullable<ContentionOptions["promote"]>>(
  { lock: true, after: true },
  '{ lock: "/locks/counter" }'
)
export const atomicValue = KnownOptions.make<AtomicValue.Options<unknown, unknown>>(
  { ...contention, acl: true, schema: true, codec: true, initial: true },
  "{ schema, initial }"
)
export const counter = KnownOptions.make<Counter.Options>(
  { ...contention, layout: true, initial: true, emptyIsInitial: true, acl: true },
  '{ layout: "exact" }'
)
export const counterFloat = KnownOptions.make<Counter.BaseOptions<number>>(
  { ...contention, initial: true, emptyIsInitial: true, acl: true },
  "{ initial: 0 }"
)
export const idGenerator = KnownOptions.make<IdGenerator.Options>(
  { acl: true, promote: true, blockSize: true, initial: true },
  "{ blockSize: 100 }"
)
export const idGeneratorOrdered = KnownOptions.make<IdGenerator.OrderedOptions>({ acl: true }, "{ acl: Acl.open }")
export const queue = KnownOptions.make<Queue.Options<unknown, unknown>>(
  {
    layout: true,
    takenPath: true,
    maxItems: true,
    maxAttempts: true,
    deadLetterPath: true,
    onDisconnect: true,
    acl: true,
    schema: true,
    codec: true
  },
  "{ schema: Schema.String }"
)

// -----------------------------------------------------------------------------
// of caches
// -----------------------------------------------------------------------------

const cached = "{ data: false }"

export const nodeCache = KnownOptions.make<NodeCache.Options>({ jitter: true, wait: true, data: true }, cached)
export const childrenCache = KnownOptions.make<ChildrenCache.Options>(
  { concurrency: true, maxNodes: true, jitter: true, wait: true, filter: true, data: true },
  cached
)
export const treeCache = KnownOptions.make<TreeCache.Options>(
  { concurrency: true, maxNodes: true, jitter: true, wait: true, maxDepth: true, filter: true, data: true },
  cached
)
