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
/** The answer of a method, and its failure. */
type Outcome<F> = [answer: Answer<F>, failure: Failure<F>]

type Context<F> = F extends (...args: never) => Effect.Effect<infer _A, infer _E, infer R> ? R : never
type Element<F> = F extends (...args: never) => Stream.Stream<infer A, infer _E, infer _R> ? A : never
type StreamFailure<F> = F extends (...args: never) => Stream.Stream<infer _A, infer E, infer _R> ? E : never
type StreamOf<F> = [element: Element<F>, failure: StreamFailure<F>]

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
    expectTypeOf<Outcome<Zk["create"]>>().toEqualTypeOf<[string, Creating]>()
    expectTypeOf<Context<Zk["create"]>>().toEqualTypeOf<never>()
    expectTypeOf<Outcome<Zk["createWithStat"]>>().toEqualTypeOf<[ZooKeeper.PathAndStat, Creating]>()
    expectTypeOf<Outcome<Zk["createWithParents"]>>().toEqualTypeOf<[string, Creating]>()
    expectTypeOf<Outcome<Zk["createOrSet"]>>().toEqualTypeOf<[ZooKeeper.Stat, Creating]>()
    expectTypeOf<Outcome<Zk["ensurePath"]>>().toEqualTypeOf<[void, Exclude<Creating, NodeExists>]>()
  })

  it("reading methods", () => {
    type Reading = NoNode | NoAuth | Common
    expectTypeOf<Outcome<Zk["exists"]>>().toEqualTypeOf<[boolean, NoAuth | Common]>()
    expectTypeOf<Outcome<Zk["stat"]>>().toEqualTypeOf<[Option.Option<ZooKeeper.Stat>, NoAuth | Common]>()
    expectTypeOf<Outcome<Zk["get"]>>().toEqualTypeOf<[ZooKeeper.DataAndStat, Reading]>()
    expectTypeOf<Outcome<Zk["getData"]>>().toEqualTypeOf<[Uint8Array, Reading]>()
    expectTypeOf<Outcome<Zk["getChildren"]>>().toEqualTypeOf<[ReadonlyArray<string>, Reading]>()
    expectTypeOf<Outcome<Zk["getChildrenWithStat"]>>().toEqualTypeOf<[ZooKeeper.ChildrenAndStat, Reading]>()
    expectTypeOf<Outcome<Zk["getAcl"]>>().toEqualTypeOf<[ZooKeeper.AclAndStat, Reading]>()
    expectTypeOf<Outcome<Zk["countDescendants"]>>().toEqualTypeOf<[number, Reading]>()
    expectTypeOf<Failure<Zk["getEphemerals"]>>().toEqualTypeOf<Common>()
    expectTypeOf<Outcome<Zk["sync"]>>().toEqualTypeOf<[void, Common]>()
  })

  it("writing methods", () => {
    type Changing = NoNode | NoAuth | BadVersion | Common
    type Setting = Changing | QuotaExceeded
    expectTypeOf<Outcome<Zk["set"]>>().toEqualTypeOf<[ZooKeeper.Stat, Setting]>()
    expectTypeOf<Outcome<Zk["setData"]>>().toEqualTypeOf<[ZooKeeper.Stat, Setting]>()
    expectTypeOf<Outcome<Zk["update"]>>().toEqualTypeOf<[ZooKeeper.Stat, Setting]>()
    expectTypeOf<Outcome<Zk["setAcl"]>>().toEqualTypeOf<[ZooKeeper.Stat, Changing | InvalidACL]>()
    expectTypeOf<Outcome<Zk["delete"]>>().toEqualTypeOf<[void, Changing | NotEmpty]>()
    expectTypeOf<Outcome<Zk["deleteAll"]>>().toEqualTypeOf<[void, NoNode | NoAuth | Common]>()
  })

  it("transactions and joint reads, in the order of their operations", () => {
    const transact = (zk: Zk) =>
      zk.transaction([Op.create("/a"), Op.check("/a", 0), Op.setData("/a", ""), Op.delete("/a")])
    expectTypeOf<Outcome<typeof transact>>().toEqualTypeOf<
      [[string, void, ZooKeeper.Stat, void], TransactionFailed | Common]
    >()
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
    expectTypeOf<Outcome<Zk["getAndWatch"]>>().toEqualTypeOf<[ZooKeeper.WatchedData, NoNode | NoAuth | Common]>()
    expectTypeOf<Outcome<Zk["existsAndWatch"]>>().toEqualTypeOf<[ZooKeeper.WatchedStat, NoAuth | Common]>()
    expectTypeOf<Outcome<Zk["getChildrenAndWatch"]>>().toEqualTypeOf<
      [ZooKeeper.WatchedChildren, NoNode | NoAuth | Common]
    >()
    expectTypeOf<Failure<ZooKeeper.WatchedData["changed"]>>().toEqualTypeOf<
      SessionExpired | SessionClosed | ConnectionLoss
    >()
    expectTypeOf<StreamFailure<Zk["events"]>>().toEqualTypeOf<Common>()
    expectTypeOf<StreamOf<Zk["dataChanges"]>>().toEqualTypeOf<[Option.Option<ZooKeeper.DataAndStat>, NoAuth | Common]>()
    expectTypeOf<StreamOf<Zk["childrenChanges"]>>().toEqualTypeOf<
      [Option.Option<ZooKeeper.ChildrenAndStat>, NoAuth | Common]
    >()
  })

  it("the session and the ensemble", () => {
    expectTypeOf<Failure<Zk["whoAmI"]>>().toEqualTypeOf<SessionError>()
    expectTypeOf<Failure<Zk["addAuth"]>>().toEqualTypeOf<Common>()
    expectTypeOf<Outcome<Zk["getConfig"]>>().toEqualTypeOf<[ZooKeeper.EnsembleConfig, NoNode | NoAuth | SessionError]>()
    expectTypeOf<Failure<Zk["reconfigure"]>>().toEqualTypeOf<
      NewConfigNoQuorum | ReconfigInProgress | BadVersion | NoAuth | Common
    >()
    expectTypeOf<Failure<Zk["updateServers"]>>().toEqualTypeOf<InvalidArgument>()
    expectTypeOf<Outcome<Zk["withChroot"]>>().toEqualTypeOf<[Zk, InvalidArgument]>()
    expectTypeOf<Outcome<Zk["trackVersions"]>>().toEqualTypeOf<[Zk, never]>()
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
