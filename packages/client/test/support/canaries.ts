/** Secrets that sing when they get out: every form of one, every face of a thing, and the search of the ones in the others. */
import * as Cause from "effect/Cause"
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
