/** The types of the Promise API; `tsc` checks this file. */
import { describe, expectTypeOf, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import {
  type InvalidArgument,
  type NoAuth,
  type NoNode,
  Op,
  type PromiseClient,
  ZNode,
  type ZooKeeper
} from "../../src/index.ts"
import type { CallOptions, Promised, Run, Settled } from "../../src/PromiseAdapter.ts"
import type { parameterCounts } from "../support/parameterCounts.ts"

type Client = PromiseClient.PromiseClient

/** All methods of the contract. A new one belongs here, to see whether the mapped type can derive it. */
type Rows = keyof typeof parameterCounts | "session" | "chroot" | "whoAmI" | "getConfig" | "trackVersions"

describe("the rows of both APIs", () => {
  it("are the same", () => {
    expectTypeOf<keyof ZooKeeper.Service>().toEqualTypeOf<Rows>()
    expectTypeOf<Exclude<keyof Client, keyof PromiseClient.Lifecycle>>().toEqualTypeOf<Rows>()
    expectTypeOf<keyof PromiseClient.Declared>().toExtend<Rows>()
  })

  it("are all possible: none is refused for a service that it needs", () => {
    type Refused = { [K in keyof Client]: [Client[K]] extends [never] ? K : never }[keyof Client]
    expectTypeOf<Refused>().toEqualTypeOf<never>()
  })

  it("declare no option with a signal, which would be taken for the call's", () => {
    type Options<F> = F extends (...args: infer P) => unknown ? P[number] : never
    type Signalled = Extract<Options<ZooKeeper.Service[keyof ZooKeeper.Service]>, { readonly signal?: unknown }>
    expectTypeOf<Extract<Signalled, { readonly signal: unknown }>>().toEqualTypeOf<never>()
  })
})

describe("a row", () => {
  it("gives a Promise, and takes a signal after all that it declares", () => {
    expectTypeOf<Client["get"]>().toEqualTypeOf<(path: string, call?: CallOptions) => Promise<ZooKeeper.DataAndStat>>()
    expectTypeOf<Client["create"]>().toEqualTypeOf<
      (path: string, options?: ZooKeeper.CreateOptions, call?: CallOptions) => Promise<string>
    >()
    expectTypeOf<Client["set"]>().toEqualTypeOf<
      (path: string, data: ZooKeeper.Data, version?: number, call?: CallOptions) => Promise<ZooKeeper.Stat>
    >()
    expectTypeOf<Client["whoAmI"]>().toEqualTypeOf<(call?: CallOptions) => Promise<ReadonlyArray<ZooKeeper.Identity>>>()
    expectTypeOf<Client["stat"]>().toEqualTypeOf<
      (path: string, call?: CallOptions) => Promise<ZooKeeper.Stat | undefined>
    >()
    expectTypeOf<Client["dataChanges"]>().toEqualTypeOf<
      (path: string, call?: CallOptions) => AsyncIterable<ZooKeeper.DataAndStat | undefined>
    >()
  })

  it("is refused when it is called wrongly", () => {
    const wrong = (zk: Client) => {
      // @ts-expect-error a signal comes after the options
      void zk.create("/a", { signal: AbortSignal.abort() })
      // @ts-expect-error a version is a number
      void zk.set("/a", "x", "1")
      // @ts-expect-error a joint read does not write
      void zk.read([Op.check("/a")])
    }
    expectTypeOf(wrong).toBeFunction()
  })

  it("that is generic keeps its tuple", () => {
    const use = async (zk: Client) => {
      const written = await zk.transaction([Op.create("/a"), Op.check("/b"), Op.setData("/c", "x")])
      expectTypeOf(written).toEqualTypeOf<[string, void, ZooKeeper.Stat]>()
      const read = await zk.read([Op.get("/a"), Op.getChildren("/b")], { signal: AbortSignal.abort() })
      expectTypeOf(read).toEqualTypeOf<
        [Settled<ZooKeeper.DataAndStat, NoNode | NoAuth>, Settled<ReadonlyArray<string>, NoNode | NoAuth>]
      >()
    }
    expectTypeOf(use).toBeFunction()
  })

  it("adapts nested members", () => {
    type Watched = Awaited<ReturnType<Client["existsAndWatch"]>>
    expectTypeOf<Watched["stat"]>().toEqualTypeOf<ZooKeeper.Stat | undefined>()
    type Event = Awaited<ReturnType<Watched["changed"]>>
    expectTypeOf<Event["zxid"]>().toEqualTypeOf<bigint | undefined>()
    expectTypeOf<Client["session"]["id"]>().toEqualTypeOf<bigint>()
    expectTypeOf<Client["session"]["password"]>().toEqualTypeOf<Redacted.Redacted<Uint8Array>>()
    expectTypeOf<Client["session"]["server"]>().toEqualTypeOf<
      { readonly host: string; readonly port: number } | undefined
    >()
    expectTypeOf<Client["session"]["ownership"]>().toEqualTypeOf<(call?: CallOptions) => Promise<never>>()
    expectTypeOf<Client["withChroot"]>().returns.resolves.toEqualTypeOf<Client>()
  })
})

describe("the mapped type", () => {
  it("leaves types without Effects alone", () => {
    expectTypeOf<Promised<ZooKeeper.Stat>>().toEqualTypeOf<ZooKeeper.Stat>()
    expectTypeOf<Promised<Uint8Array>>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Promised<ReadonlyMap<string, Uint8Array>>>().toEqualTypeOf<ReadonlyMap<string, Uint8Array>>()
    expectTypeOf<Promised<ReadonlySet<bigint>>>().toEqualTypeOf<ReadonlySet<bigint>>()
    expectTypeOf<Promised<(name: string) => boolean>>().toEqualTypeOf<(name: string) => boolean>()
    expectTypeOf<Promised<NoNode>>().toEqualTypeOf<NoNode>()
    expectTypeOf<Promised<boolean | undefined>>().toEqualTypeOf<boolean | undefined>()
  })

  it("looks into arrays, Options and Results", () => {
    expectTypeOf<Promised<ReadonlyArray<Option.Option<number>>>>().toEqualTypeOf<ReadonlyArray<number | undefined>>()
    expectTypeOf<Promised<Option.Option<Result.Result<number, string>>>>().toEqualTypeOf<
      Settled<number, string> | undefined
    >()
  })

  it("refuses members that need a service", () => {
    expectTypeOf<Promised<Effect.Effect<number, string, ZooKeeper.ZooKeeper>>>().toEqualTypeOf<never>()
    expectTypeOf<Promised<() => Stream.Stream<number, string, ZooKeeper.ZooKeeper>>>().toEqualTypeOf<never>()
  })

  it("asks for a run that any client or runtime is", () => {
    expectTypeOf<Client["run"]>().toExtend<Run>()
    expectTypeOf<Run>().not.toExtend<Run<ZooKeeper.ZooKeeper>>()
  })
})

describe("a typed znode", () => {
  const Config = ZNode.make({
    path: "/config/:service/keys/:key",
    schema: Schema.Struct({ since: Schema.Date, size: Schema.Int })
  })
  interface Value {
    readonly since: Date
    readonly size: number
  }

  it("has the parameters of its path", () => {
    expectTypeOf<Parameters<typeof Config.get>[0]>().toEqualTypeOf<{ readonly service: string; readonly key: string }>()
    expectTypeOf<Parameters<typeof Config.list>[0]>().toEqualTypeOf<{ readonly service: string }>()
    expectTypeOf<ZNode.Params<"/a/b">>().toEqualTypeOf<{}>()
    const wrong = () => [
      // @ts-expect-error a parameter is missing
      Config.get({ service: "mail" }),
      // @ts-expect-error the value is not the schema's
      Config.set({ service: "mail", key: "a" }, { since: "today", size: 1 })
    ]
    expectTypeOf(wrong).toBeFunction()
  })

  it("names its errors", () => {
    expectTypeOf<ReturnType<typeof Config.pathOf>>().toEqualTypeOf<Effect.Effect<string, InvalidArgument>>()
    type GetError = Effect.Error<ReturnType<typeof Config.get>>
    expectTypeOf<Extract<GetError, { readonly _tag: "ZNodeDecodeError" | "NoNode" }>>().toEqualTypeOf<
      ZNode.ZNodeDecodeError | NoNode
    >()
    type OptionError = Effect.Error<ReturnType<typeof Config.getOption>>
    expectTypeOf<Extract<OptionError, { readonly _tag: "NoNode" }>>().toEqualTypeOf<never>()
    expectTypeOf<Effect.Services<ReturnType<typeof Config.get>>>().toEqualTypeOf<ZooKeeper.ZooKeeper>()
    type Bound = ReturnType<typeof Config.on>
    expectTypeOf<Effect.Services<ReturnType<Bound["get"]>>>().toEqualTypeOf<never>()
  })

  it("has a Promise API", () => {
    const promised = (zk: Client) => zk.znode(Config)
    type Znode = ReturnType<typeof promised>
    expectTypeOf<Parameters<Znode["getOption"]>>().toEqualTypeOf<
      [params: { readonly service: string; readonly key: string }, call?: CallOptions]
    >()
    expectTypeOf<Awaited<ReturnType<Znode["getOption"]>>>().toEqualTypeOf<ZNode.ValueAndStat<Value> | undefined>()
    expectTypeOf<ReturnType<Znode["changes"]>>().toEqualTypeOf<AsyncIterable<ZNode.ValueAndStat<Value> | undefined>>()
  })

  it("takes no schema that needs services, and no codec for another form", () => {
    const wrong = (needy: Schema.Codec<number, string, Context.Service<"x", "y">>) => [
      // @ts-expect-error decoding needs a service
      ZNode.make({ path: "/a", schema: needy }),
      // @ts-expect-error a Date is encoded as no string here
      ZNode.make({ path: "/a", schema: Schema.Date, codec: ZNode.text })
    ]
    expectTypeOf(wrong).toBeFunction()
    expectTypeOf(ZNode.make({ path: "/a", schema: Schema.NumberFromString, codec: ZNode.text })).toEqualTypeOf<
      ZNode.ZNode<"/a", number>
    >()
  })
})
