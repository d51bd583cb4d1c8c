import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { NoNode, PromiseAdapter } from "../../src/index.ts"

const run: PromiseAdapter.Run = Effect.runPromise

class Instance extends PromiseAdapter.Opaque {
  readonly inner = Option.some(1)
}

describe("the Promise API of any service", () => {
  it("looks through results, and copies only those that need another form", async () => {
    const stat = { version: 1 }
    const instance = new Instance()
    const error = new NoNode({ path: "/a", operation: "get" })
    const bytes = Uint8Array.of(1)
    const answer = {
      stat,
      list: [Option.some(1), Option.none()],
      result: Result.fail(error),
      nested: { deep: Option.some(Option.some("x")) },
      instance,
      bytes,
      nothing: null
    }
    const adapted = PromiseAdapter.promisify(run, {
      get: () => Effect.succeed(answer),
      same: () => Effect.succeed(stat)
    })
    const got = await adapted.get()
    assert.deepStrictEqual(got.list, [1, undefined])
    assert.deepStrictEqual(got.result, { ok: false, error })
    assert.deepStrictEqual(got.nested, { deep: "x" })
    assert.strictEqual(got.stat, stat)
    assert.strictEqual(got.bytes, bytes)
    assert.strictEqual(got.instance, instance)
    assert.strictEqual(got.nothing, null)
    assert.strictEqual(await adapted.same(), stat)
  })

  it("gives results whose methods are adapted, and whose getters stay live", async () => {
    let count = 0
    const counter = {
      get value() {
        return Option.some(count)
      },
      add: (by: number) => Effect.sync(() => (count += by)),
      isEven: () => count % 2 === 0,
      self() {
        return Effect.succeed(this === counter)
      }
    }
    const adapted = PromiseAdapter.promisify(run, { open: Effect.succeed(counter) })
    const opened = await adapted.open()
    assert.strictEqual(opened.value, 0)
    assert.strictEqual(await opened.add(3), 3)
    assert.strictEqual(opened.value, 3)
    assert.isFalse(opened.isEven())
    assert.isTrue(await opened.self())
  })

  it("takes an object with nothing but a signal for the call's options, and any other for a value", async () => {
    const given: Array<ReadonlyArray<unknown>> = []
    const signals: Array<AbortSignal | undefined> = []
    const recording: PromiseAdapter.Run = (effect, options) => {
      if (options !== undefined) signals.push(options.signal)
      return run(effect, options)
    }
    const told = (...args: ReadonlyArray<unknown>) => Effect.sync(() => void given.push(args))
    const adapted = PromiseAdapter.promisify(recording, {
      write: (path: string, value: unknown, version?: number) => told(path, value, version),
      writeAny: (path: string, value: unknown = {}) => told(path, value)
    })
    const { signal } = new AbortController()
    const values = [
      { signal: undefined, name: "x" },
      { signal, name: "x" },
      { signal: "red" },
      { [Symbol.iterator]: 1, signal: undefined },
      Object.create({ signal }),
      { signal: undefined }
    ]
    for (const value of values) {
      await adapted.write("/a", value)
      assert.strictEqual(given.at(-1)?.[1], value)
    }
    await adapted.writeAny("/a", values[0])
    assert.strictEqual(given.at(-1)?.[1], values[0])
    assert.deepStrictEqual(signals, [])
    await adapted.write("/a", "x", undefined, { signal })
    await adapted.write("/a", { signal }, 1, { signal })
    await adapted.write("/a", "x", undefined, { signal: undefined })
    await adapted.writeAny("/a", "x", { signal })
    assert.deepStrictEqual(signals, [signal, signal, undefined, signal])
    assert.deepStrictEqual(given.at(-3), ["/a", { signal }, 1])
  })

  it("is made for what needs services by the run of a runtime that has them", async () => {
    class Name extends Context.Service<Name, string>()("test/Name") {}
    const runtime = ManagedRuntime.make(Layer.succeed(Name, "bob"))
    const run: PromiseAdapter.Run<Name> = runtime.runPromise
    assert.strictEqual(await run(Effect.map(Name, (name) => `${name}!`)), "bob!")
    const names = PromiseAdapter.iterable(run, Stream.fromEffect(Name))
    for await (const name of names) assert.strictEqual(name, "bob")
    await runtime.dispose()
  })
})

describe("a Stream as an AsyncIterable", () => {
  it("makes no element before it is asked for", async () => {
    const made: Array<number> = []
    const stream = Stream.fromIterable([1, 2, 3]).pipe(
      Stream.rechunk(1),
      Stream.tap((n) => Effect.sync(() => made.push(n)))
    )
    const loop = PromiseAdapter.iterable(run, stream)[Symbol.asyncIterator]()
    assert.deepStrictEqual(made, [])
    assert.deepStrictEqual(await loop.next(), { done: false, value: 1 })
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepStrictEqual(made, [1])
    await loop.next()
    assert.deepStrictEqual(made, [1, 2])
    await loop.return?.()
    assert.deepStrictEqual(made, [1, 2])
  })

  it("has run its finalizers when the loop has been left", async () => {
    const told: Array<string> = []
    const stream = Stream.make(1).pipe(
      Stream.concat(Stream.never),
      Stream.ensuring(
        Effect.andThen(
          Effect.sleep("10 millis"),
          Effect.sync(() => told.push("released"))
        )
      )
    )
    for await (const _ of PromiseAdapter.iterable(run, stream)) break
    assert.deepStrictEqual(told, ["released"])
    const mine = new Error("mine")
    const failing = async () => {
      for await (const _ of PromiseAdapter.iterable(run, stream)) throw mine
    }
    assert.strictEqual(await failing().catch((error: unknown) => error), mine)
    assert.deepStrictEqual(told, ["released", "released"])
  })

  it("answers calls that come at once in their order", async () => {
    const loop = PromiseAdapter.iterable(run, Stream.make("a", "b"))[Symbol.asyncIterator]()
    const results = await Promise.all([loop.next(), loop.next(), loop.next(), loop.next()])
    assertEach(results, ({ done, value }) => (done === true ? "end" : value), ["a", "b", "end", "end"])
  })

  it("rejects with an error once, after all elements before it", async () => {
    const loop = PromiseAdapter.iterable(run, Stream.concat(Stream.make(1), Stream.fail("broken")))[
      Symbol.asyncIterator
    ]()
    const results = await Promise.allSettled([loop.next(), loop.next(), loop.next()])
    assert.deepStrictEqual(results, [
      { status: "fulfilled", value: { done: false, value: 1 } },
      { status: "rejected", reason: "broken" },
      { status: "fulfilled", value: { done: true, value: undefined } }
    ])
  })

  it("is not run at all when the loop is left before the first element", async () => {
    let runs = 0
    const stream = Stream.suspend(() => Stream.make(++runs))
    const loop = PromiseAdapter.iterable(run, stream)[Symbol.asyncIterator]()
    await loop.return?.()
    assert.isTrue((await loop.next()).done)
    assert.strictEqual(runs, 0)
  })
})
