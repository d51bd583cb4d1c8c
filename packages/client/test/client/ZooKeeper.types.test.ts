/** The rows of the table as types: what each method gives, and exactly what it can fail with. */
import type { Session } from "@effect-zookeeper/session/Session"
import type * as Config from "effect/Config"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"
import {
  type AuthFailed,
  type BadVersion,
  type ConnectFailed,
  type ConnectionLoss,
  type FrameTooLarge,
  type InvalidACL,
  type InvalidArgument,
  type NewConfigNoQuorum,
  type NoAuth,
  type NoChildrenForEphemerals,
  type NodeExists,
  type NoNode,
  type NotEmpty,
  Op,
  type ProtocolError,
  type QuotaExceeded,
  type ReconfigInProgress,
  type RequestTimeout,
  type ServerRefused,
  type SessionClosed,
  type SessionError,
  type SessionExpired,
  type TransactionFailed,
  type ZooKeeper
} from "../../src/index.ts"

type Zk = ZooKeeper.Service

type Answer<F> = F extends (...args: never) => Effect.Effect<infer A, infer _E, infer _R>
  ? A
  : F extends Effect.Effect<infer A, infer _E, infer _R>
    ? A
    : never
type Failure<F> = F extends (...args: never) => Effect.Effect<infer _A, infer E, infer _R>
  ? E
  : F extends Effect.Effect<infer _A, infer E, infer _R>
    ? E
    : never
type Context<F> = F extends (...args: never) => Effect.Effect<infer _A, infer _E, infer R> ? R : never
type Element<F> = F extends (...args: never) => Stream.Stream<infer A, infer _E, infer _R> ? A : never
type StreamFailure<F> = F extends (...args: never) => Stream.Stream<infer _A, infer E, infer _R> ? E : never

/** What every operation can end with. */
type Common = InvalidArgument | SessionError
type Creating = NodeExists | NoNode | NoAuth | InvalidACL | NoChildrenForEphemerals | QuotaExceeded | Common

describe("the error channel and the answer of", () => {
  it("SessionError", () => {
    expectTypeOf<SessionError>().toEqualTypeOf<
      | ConnectionLoss
      | SessionExpired
      | SessionClosed
      | AuthFailed
      | RequestTimeout
      | ServerRefused
      | FrameTooLarge
      | ProtocolError
    >()
  })

  it("creating methods", () => {
    expectTypeOf<Failure<Zk["create"]>>().toEqualTypeOf<Creating>()
    expectTypeOf<Answer<Zk["create"]>>().toEqualTypeOf<string>()
    expectTypeOf<Context<Zk["create"]>>().toEqualTypeOf<never>()
    expectTypeOf<Failure<Zk["createWithStat"]>>().toEqualTypeOf<Creating>()
    expectTypeOf<Answer<Zk["createWithStat"]>>().toEqualTypeOf<ZooKeeper.PathAndStat>()
    expectTypeOf<Failure<Zk["createWithParents"]>>().toEqualTypeOf<Creating>()
    expectTypeOf<Answer<Zk["createWithParents"]>>().toEqualTypeOf<string>()
    expectTypeOf<Failure<Zk["createOrSet"]>>().toEqualTypeOf<Creating>()
    expectTypeOf<Answer<Zk["createOrSet"]>>().toEqualTypeOf<ZooKeeper.Stat>()
    expectTypeOf<Failure<Zk["ensurePath"]>>().toEqualTypeOf<Exclude<Creating, NodeExists>>()
    expectTypeOf<Answer<Zk["ensurePath"]>>().toEqualTypeOf<void>()
  })

  it("reading methods", () => {
    type Reading = NoNode | NoAuth | Common
    expectTypeOf<Failure<Zk["exists"]>>().toEqualTypeOf<NoAuth | Common>()
    expectTypeOf<Answer<Zk["exists"]>>().toEqualTypeOf<boolean>()
    expectTypeOf<Failure<Zk["stat"]>>().toEqualTypeOf<NoAuth | Common>()
    expectTypeOf<Answer<Zk["stat"]>>().toEqualTypeOf<Option.Option<ZooKeeper.Stat>>()
    expectTypeOf<Failure<Zk["get"]>>().toEqualTypeOf<Reading>()
    expectTypeOf<Answer<Zk["get"]>>().toEqualTypeOf<ZooKeeper.DataAndStat>()
    expectTypeOf<Failure<Zk["getData"]>>().toEqualTypeOf<Reading>()
    expectTypeOf<Answer<Zk["getData"]>>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Failure<Zk["getChildren"]>>().toEqualTypeOf<Reading>()
    expectTypeOf<Answer<Zk["getChildren"]>>().toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<Failure<Zk["getChildrenWithStat"]>>().toEqualTypeOf<Reading>()
    expectTypeOf<Answer<Zk["getChildrenWithStat"]>>().toEqualTypeOf<ZooKeeper.ChildrenAndStat>()
    expectTypeOf<Failure<Zk["getAcl"]>>().toEqualTypeOf<Reading>()
    expectTypeOf<Answer<Zk["getAcl"]>>().toEqualTypeOf<ZooKeeper.AclAndStat>()
    expectTypeOf<Failure<Zk["countDescendants"]>>().toEqualTypeOf<Reading>()
    expectTypeOf<Answer<Zk["countDescendants"]>>().toEqualTypeOf<number>()
    expectTypeOf<Failure<Zk["getEphemerals"]>>().toEqualTypeOf<Common>()
    expectTypeOf<Failure<Zk["sync"]>>().toEqualTypeOf<Common>()
    expectTypeOf<Answer<Zk["sync"]>>().toEqualTypeOf<void>()
  })

  it("writing methods", () => {
    type Changing = NoNode | NoAuth | BadVersion | Common
    type Setting = Changing | QuotaExceeded
    expectTypeOf<Failure<Zk["set"]>>().toEqualTypeOf<Setting>()
    expectTypeOf<Answer<Zk["set"]>>().toEqualTypeOf<ZooKeeper.Stat>()
    expectTypeOf<Failure<Zk["setData"]>>().toEqualTypeOf<Setting>()
    expectTypeOf<Answer<Zk["setData"]>>().toEqualTypeOf<ZooKeeper.Stat>()
    expectTypeOf<Failure<Zk["update"]>>().toEqualTypeOf<Setting>()
    expectTypeOf<Answer<Zk["update"]>>().toEqualTypeOf<ZooKeeper.Stat>()
    expectTypeOf<Failure<Zk["setAcl"]>>().toEqualTypeOf<Changing | InvalidACL>()
    expectTypeOf<Answer<Zk["setAcl"]>>().toEqualTypeOf<ZooKeeper.Stat>()
    expectTypeOf<Failure<Zk["delete"]>>().toEqualTypeOf<Changing | NotEmpty>()
    expectTypeOf<Answer<Zk["delete"]>>().toEqualTypeOf<void>()
    expectTypeOf<Failure<Zk["deleteAll"]>>().toEqualTypeOf<NoNode | NoAuth | Common>()
    expectTypeOf<Answer<Zk["deleteAll"]>>().toEqualTypeOf<void>()
  })

  it("transactions and joint reads, in the order of their operations", () => {
    const transact = (zk: Zk) =>
      zk.transaction([Op.create("/a"), Op.check("/a", 0), Op.setData("/a", ""), Op.delete("/a")])
    expectTypeOf<Answer<typeof transact>>().toEqualTypeOf<[string, void, ZooKeeper.Stat, void]>()
    expectTypeOf<Failure<typeof transact>>().toEqualTypeOf<TransactionFailed | Common>()
    const many = (zk: Zk, ops: ReadonlyArray<Op.Create | Op.SetData>) => zk.transaction(ops)
    expectTypeOf<Answer<typeof many>>().toEqualTypeOf<Array<string | ZooKeeper.Stat>>()
    const read = (zk: Zk) => zk.read([Op.get("/a"), Op.getChildren("/a")])
    expectTypeOf<Answer<typeof read>>().toEqualTypeOf<
      [Result.Result<ZooKeeper.DataAndStat, NoNode | NoAuth>, Result.Result<ReadonlyArray<string>, NoNode | NoAuth>]
    >()
    expectTypeOf<Failure<typeof read>>().toEqualTypeOf<Common>()
    // @ts-expect-error a read has no place in a transaction
    void ((zk: Zk) => zk.transaction([Op.get("/a")]))
    // @ts-expect-error nor a write in a joint read
    void ((zk: Zk) => zk.read([Op.delete("/a")]))
  })

  it("watching methods", () => {
    expectTypeOf<Failure<Zk["getAndWatch"]>>().toEqualTypeOf<NoNode | NoAuth | Common>()
    expectTypeOf<Answer<Zk["getAndWatch"]>>().toEqualTypeOf<ZooKeeper.WatchedData>()
    expectTypeOf<Failure<Zk["existsAndWatch"]>>().toEqualTypeOf<NoAuth | Common>()
    expectTypeOf<Answer<Zk["existsAndWatch"]>>().toEqualTypeOf<ZooKeeper.WatchedStat>()
    expectTypeOf<Failure<Zk["getChildrenAndWatch"]>>().toEqualTypeOf<NoNode | NoAuth | Common>()
    expectTypeOf<Answer<Zk["getChildrenAndWatch"]>>().toEqualTypeOf<ZooKeeper.WatchedChildren>()
    expectTypeOf<Failure<ZooKeeper.WatchedData["changed"]>>().toEqualTypeOf<
      SessionExpired | SessionClosed | ConnectionLoss
    >()
    expectTypeOf<StreamFailure<Zk["events"]>>().toEqualTypeOf<Common>()
    expectTypeOf<StreamFailure<Zk["dataChanges"]>>().toEqualTypeOf<NoAuth | Common>()
    expectTypeOf<Element<Zk["dataChanges"]>>().toEqualTypeOf<Option.Option<ZooKeeper.DataAndStat>>()
    expectTypeOf<StreamFailure<Zk["childrenChanges"]>>().toEqualTypeOf<NoAuth | Common>()
    expectTypeOf<Element<Zk["childrenChanges"]>>().toEqualTypeOf<Option.Option<ZooKeeper.ChildrenAndStat>>()
  })

  it("the session and the ensemble", () => {
    expectTypeOf<Failure<Zk["whoAmI"]>>().toEqualTypeOf<SessionError>()
    expectTypeOf<Failure<Zk["addAuth"]>>().toEqualTypeOf<Common>()
    expectTypeOf<Failure<Zk["getConfig"]>>().toEqualTypeOf<NoNode | NoAuth | SessionError>()
    expectTypeOf<Answer<Zk["getConfig"]>>().toEqualTypeOf<ZooKeeper.EnsembleConfig>()
    expectTypeOf<Failure<Zk["reconfigure"]>>().toEqualTypeOf<
      NewConfigNoQuorum | ReconfigInProgress | BadVersion | NoAuth | Common
    >()
    expectTypeOf<Failure<Zk["updateServers"]>>().toEqualTypeOf<InvalidArgument>()
    expectTypeOf<Failure<Zk["withChroot"]>>().toEqualTypeOf<InvalidArgument>()
    expectTypeOf<Answer<Zk["withChroot"]>>().toEqualTypeOf<Zk>()
    expectTypeOf<Failure<Zk["trackVersions"]>>().toEqualTypeOf<never>()
    expectTypeOf<Answer<Zk["trackVersions"]>>().toEqualTypeOf<Zk>()
  })

  it("the layers", () => {
    type LayerFailure = ConnectFailed | AuthFailed | SessionExpired | InvalidArgument
    expectTypeOf<ZooKeeper.StartError>().toEqualTypeOf<LayerFailure>()
    expectTypeOf<ReturnType<typeof ZooKeeper.layer>>().toEqualTypeOf<Layer.Layer<ZooKeeper.ZooKeeper, LayerFailure>>()
    expectTypeOf<ReturnType<typeof ZooKeeper.layerConfig>>().toEqualTypeOf<
      Layer.Layer<ZooKeeper.ZooKeeper, LayerFailure | Config.ConfigError>
    >()
    expectTypeOf<ReturnType<typeof ZooKeeper.layerSession>>().toEqualTypeOf<
      Layer.Layer<ZooKeeper.ZooKeeper, InvalidArgument, Session>
    >()
  })
})
