/**
 * The search for secrets: every form of one, every face of a thing, and all that a program says while it runs.
 *
 * Tests give each secret a text of its own (a canary), run everything that can fail, and look for all forms of it in all
 * that came out.
 */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as Crypto from "node:crypto"
import { inspect } from "node:util"

export interface Canary {
  readonly name: string
  readonly secret: string | Uint8Array
  /** The texts with the secret that are hashed, such as `user:password`. */
  readonly hashedAs?: ReadonlyArray<string> | undefined
}

/** A text of some place where nothing secret should be. */
export interface Output {
  readonly place: string
  readonly text: string
}

/** The first leaks that are found, in words. */
export const leaksIn = (outputs: ReadonlyArray<Output>, canaries: ReadonlyArray<Canary>): ReadonlyArray<string> => {
  const forms = canaries.flatMap(({ hashedAs, name, secret }) =>
    formsOf(secret, hashedAs).map(([form, text]) => ({ what: `${name} as ${form}`, text }))
  )
  return outputs.flatMap(({ place, text }) => {
    const flat = flatten(text)
    return forms
      .filter((form) => text.includes(form.text) || flat.includes(form.text))
      .map(({ what }) => `${what} in ${place}`)
  })
}

/** Everything that a log, a debugger or a serializer makes of a thing. */
export const facesOf = (place: string, thing: unknown): ReadonlyArray<Output> => {
  const outputs: Array<Output> = []
  const show = (face: string, text: () => unknown) => {
    let shown: string
    try {
      shown = String(text())
    } catch (error) {
      // A value that cannot be shown that way may show itself in this error.
      shown = String(error)
    }
    outputs.push({ place: `${face} of ${place}`, text: shown })
  }
  show("String()", () => thing)
  show("inspect", () =>
    inspect(thing, {
      depth: 10,
      showHidden: true,
      getters: true,
      maxArrayLength: null,
      maxStringLength: null,
      breakLength: Infinity
    })
  )
  show("JSON", () => toJson(thing))
  if (thing instanceof Error) {
    show("the message", () => thing.message)
    show("the stack", () => thing.stack)
    show("the pretty cause", () => Cause.pretty(Cause.fail(thing)))
    if (thing.cause !== undefined) outputs.push(...facesOf(`the cause of ${place}`, thing.cause))
  }
  return outputs
}

/** Collects whatever is said until the Scope closes: lines of logs of all levels, spans, standard output and errors. */
export const collect = Effect.gen(function* () {
  const outputs: Array<Output> = []
  const add = (...more: ReadonlyArray<Output>) => void outputs.push(...more)

  const logger = Logger.make<unknown, void>((options) => {
    for (const [name, format] of Object.entries({
      simple: Logger.formatSimple,
      logfmt: Logger.formatLogFmt,
      json: Logger.formatJson
    })) {
      add({ place: `a line of the ${name} log`, text: format.log(options) })
    }
    add(...facesOf("a structured log line", Logger.formatStructured.log(options)))
    add(...facesOf("a log line's parts", [options.message, options.cause]))
    add({ place: "a log line's cause", text: Cause.pretty(options.cause) })
  })

  let spans = 0
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans++
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        end(time, exit)
        // All but what a success has given: that is the application's, and Effect hands it to every tracer.
        const { events, kind, links, name } = span
        add(...facesOf(`the span ${name}`, { name, kind, events, links, attributes: [...span.attributes] }))
        if (Exit.isFailure(exit)) add({ place: `the end of the span ${span.name}`, text: Cause.pretty(exit.cause) })
      }
      return span
    }
  })

  for (const stream of [process.stdout, process.stderr]) {
    const { write } = stream
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        stream.write = ((chunk: unknown, ...rest: ReadonlyArray<never>) => {
          add({ place: "standard output", text: String(chunk) })
          return Reflect.apply(write, stream, [chunk, ...rest])
        }) as typeof write
      }),
      () => Effect.sync(() => void (stream.write = write))
    )
  }

  const observed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.withSpan("life"),
      Effect.withTracer(tracer),
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "All")
    )
  /** An error that has to come, and all that it shows. */
  const failing = Effect.fnUntraced(function* <A, E, R>(stage: string, effect: Effect.Effect<A, E, R>) {
    const exit = yield* Effect.exit(Effect.withSpan(effect, stage))
    if (Exit.isSuccess(exit)) return assert.fail(`${stage} did not fail`)
    add({ place: `the cause of ${stage}`, text: Cause.pretty(exit.cause) }, ...facesOf(stage, exit.cause))
    for (const error of Cause.prettyErrors(exit.cause)) add(...facesOf(stage, error))
    for (const reason of exit.cause.reasons) {
      if (Cause.isFailReason(reason)) add(...facesOf(`the error of ${stage}`, reason.error))
      if (Cause.isDieReason(reason)) add(...facesOf(`the defect of ${stage}`, reason.defect))
    }
    return Cause.pretty(exit.cause)
  })

  return { add, failing, observed, outputs, spans: () => spans }
})

/** A leak of each kind, planted: each has to be found, or the search above proves nothing. */
export const assertFound = (canary: Canary): void => {
  const { hashedAs = [], secret } = canary
  const bytes = Buffer.from(secret)
  const plants: ReadonlyArray<unknown> = [
    { deep: { down: { in: [bytes] } } },
    new Uint8Array(bytes),
    new Error("outside", { cause: new Error(`inside ${bytes.toString("latin1")}`) }),
    new Error(`base64 ${Buffer.concat([Buffer.from("x"), bytes, Buffer.from("yz")]).toString("base64")}`),
    `hex ${bytes.toString("hex")}`,
    ...hashedAs.map((text) => `an ACL ${Crypto.createHash("sha1").update(text).digest("base64")}`)
  ]
  for (const [index, plant] of plants.entries()) {
    const found = leaksIn(facesOf("a plant", plant), [canary])
    assert.isNotEmpty(found, `${canary.name}, plant ${index}`)
  }
}

// ---- internal

const toJson = (thing: unknown): string => {
  const seen = new WeakSet<object>()
  const json: string | undefined = JSON.stringify(thing, (_, value: unknown) => {
    if (typeof value === "bigint") return value.toString()
    if (typeof value !== "object" || value === null) return value
    if (seen.has(value)) return "seen"
    seen.add(value)
    return value
  })
  return json ?? "undefined"
}

const formsOf = (
  secret: string | Uint8Array,
  hashedAs: ReadonlyArray<string> = []
): ReadonlyArray<readonly [string, string]> => {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString("hex")
  return [
    ...(typeof secret === "string"
      ? ([["plain text", secret]] as const)
      : ([["latin1", bytes.toString("latin1")]] as const)),
    ["hex", hex],
    ["upper hex", hex.toUpperCase()],
    ["a dump", (hex.match(/../g) ?? []).join(" ")],
    ["a list of numbers", Array.from(bytes).join(",")],
    ...[0, 1, 2].map((shift) => [`base64 at ${shift}`, base64Within(bytes, shift)] as const),
    ...[bytes, ...hashedAs.map((text) => Buffer.from(text))].flatMap((hashed) =>
      ["md5", "sha1", "sha256"].flatMap((algorithm) => {
        const digest = Crypto.createHash(algorithm).update(hashed).digest()
        return [
          [`${algorithm} in hex`, digest.toString("hex")],
          [`${algorithm} in base64`, digest.toString("base64").replace(/=+$/, "")],
          [`${algorithm} as a list of numbers`, Array.from(digest).join(",")]
        ] as const
      })
    )
  ]
}

/** The part of the base64 of any text with these bytes in it, `shift` bytes after a multiple of three. */
const base64Within = (bytes: Uint8Array, shift: number): string => {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString("base64")
    .replace(/=+$/, "")
  // The characters at both ends hold bits of the neighbours.
  return text.slice(shift === 0 ? 0 : shift + 1, -2)
}

/** Bytes as `inspect` and JSON write them, without the text between the numbers; base64 without line breaks. */
const flatten = (text: string): string =>
  text
    .replaceAll(/"\d+":/g, "")
    .replaceAll(/,\s+/g, ",")
    .replaceAll(/\\n|\n/g, "")
