/**
 * ClickHouse Keeper, a server that speaks ZooKeeper's protocol. It closes the connection without a word on an operation that
 * it does not have, and so on most that are newer than ZooKeeper 3.4. It announces those that it has as flags in a znode.
 */
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"

/** The znode whose data are the flags, from the highest bit of the first byte on. */
export const FEATURE_FLAGS = "/keeper/feature_flags"

/** The `protocolVersion` with which it answers a handshake while it has no leader. */
export const NOT_READY = 42

/** The operations of ZooKeeper that its flags stand for, by the number of the flag. */
const operationsByFlag: ReadonlyArray<readonly [flag: number, ReadonlyArray<Operation.Any>]> = [
  [1, [Operations.multiRead]],
  [7, [Operations.addWatch, Operations.checkWatches, Operations.removeWatches, Operations.setWatches2]],
  [8, [Operations.create2]]
]

/** The names of all operations that flags can announce. */
export const flaggedOperations: ReadonlySet<string> = new Set(
  operationsByFlag.flatMap(([, operations]) => operations.map(({ name }) => name))
)

/** The names of the operations that flags announce. */
export const announcedOperations = (flags: Uint8Array): ReadonlySet<string> =>
  new Set(
    operationsByFlag.flatMap(([flag, operations]) =>
      ((flags[flag >> 3] ?? 0) & (0x80 >> (flag & 7))) === 0 ? [] : operations.map(({ name }) => name)
    )
  )
