/**
 * The formats in which a counter keeps its number.
 */
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import { byVersion, type Recognize } from "./compareAndSet.ts"

/** Arithmetic of one type of number, and its range. */
interface Numbers<N> {
  readonly zero: N
  readonly one: N
  readonly add: (a: N, b: N) => N
  readonly negate: (n: N) => N
  /** Whether a value is such a number, in range or not. */
  readonly is: (n: unknown) => n is N
  readonly fits: (n: N) => boolean
  /** The range, in words. */
  readonly range: string
}

/** Tells one write from all others; see `exact`. */
export interface Mark {
  /** 16 hexadecimal digits. */
  readonly writer: string
  readonly write: number
}

/** A format of numbers. */
export interface CounterLayout<N> {
  readonly numbers: Numbers<N>
  /** The format, in words. */
  readonly expected: string
  readonly decode: (data: Uint8Array) => N | undefined
  /** `before` is the znode as it was read, if it was there. */
  readonly encode: (value: N, mark: Mark, before: DataAndStat | undefined) => Uint8Array
  readonly recognize: (mark: Mark) => Recognize
}

const bigints = (bits: 32 | 64): Numbers<bigint> => ({
  zero: 0n,
  one: 1n,
  add: (a, b) => a + b,
  negate: (n) => -n,
  is: (n) => typeof n === "bigint",
  fits: (n) => BigInt.asIntN(bits, n) === n,
  range: `whole numbers of ${bits} bits`
})

const floats: Numbers<number> = {
  zero: 0,
  one: 1,
  add: (a, b) => a + b,
  negate: (n) => -n,
  is: (n) => typeof n === "number",
  fits: (n) => Number.isFinite(n),
  range: "finite numbers"
}

/** Of `DistributedAtomicLong`: 8 bytes, the highest first. */
export const curator: CounterLayout<bigint> = {
  numbers: bigints(64),
  expected: "a number of 8 bytes",
  decode: (data) => (data.byteLength === 8 ? view(data).getBigInt64(0) : undefined),
  encode: (value) => {
    const data = new Uint8Array(8)
    view(data).setBigInt64(0, value)
    return data
  },
  recognize: () => byVersion
}

/** Of `SharedCount`: 4 bytes, the highest first. */
export const int32: CounterLayout<bigint> = {
  numbers: bigints(32),
  expected: "a number of 4 bytes",
  decode: (data) => (data.byteLength === 4 ? BigInt(view(data).getInt32(0)) : undefined),
  encode: (value) => {
    const data = new Uint8Array(4)
    view(data).setInt32(0, Number(value))
    return data
  },
  recognize: () => byVersion
}

/** Of aiozk and kazoo: decimal text. */
export const text: CounterLayout<bigint> = {
  numbers: bigints(64),
  expected: "a whole number of 64 bits as text",
  decode: (data) => parseWhole(read(data)),
  encode: (value) => written(String(value)),
  recognize: () => byVersion
}

/** Of aiozk and kazoo when they count in floats: `1.5`, `4.0`. */
export const float: CounterLayout<number> = {
  numbers: floats,
  expected: "a finite number as text",
  decode: (data) => {
    const number = read(data).trim()
    const value = floatText.test(number) ? Number(number) : Number.NaN
    return Number.isFinite(value) ? value : undefined
  },
  // As Python writes them: with a point, by which a float is known.
  encode: (value) => {
    const number = String(value)
    return written(/^-?\d+$/.test(number) ? `${number}.0` : number)
  },
  recognize: () => byVersion
}

/**
 * Decimal text, and in lines below it the last writers, each with the number of its last write: a writer that has lost a
 * reply looks for its own line. There is room for 64 writers; a new one takes the place of the one that wrote least
 * recently.
 */
export const exact: CounterLayout<bigint> = {
  numbers: bigints(64),
  expected: "a whole number of 64 bits as text, and lines of writers below it",
  decode: (data) => parseExact(data)?.value,
  encode: (value, mark, before) => {
    const writers = before === undefined ? [] : (parseExact(before.data)?.writers ?? [])
    const others = writers.filter(({ writer }) => writer !== mark.writer)
    const lines = [mark, ...others].slice(0, maxWriters).map(({ write, writer }) => `${writer} ${write}`)
    return written([String(value), ...lines].join("\n"))
  },
  recognize: (mark) => (now, attempt) => {
    if (now === undefined) return attempt.found === undefined ? false : undefined
    const writers = parseExact(now.data)?.writers
    // Another program has overwritten it.
    if (writers === undefined) return undefined
    const isWritten = writers.some(({ write, writer }) => writer === mark.writer && write === mark.write)
    // Written over another znode than the one that was read, it did not replace the data that was read.
    if (attempt.found !== undefined && attempt.found.stat.czxid !== now.stat.czxid) return undefined
    if (isWritten) return true
    // The line is not there, and there were too few writes since to push it out.
    const since =
      attempt.found === undefined ? now.stat.version : (now.stat.version - attempt.found.stat.version - 1) | 0
    return writers.length < maxWriters || (since >= 0 && since < maxWriters) ? false : undefined
  }
}

// ---- internal

const maxWriters = 64

const view = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength)

const read = (data: Uint8Array): string => new TextDecoder().decode(data)

const written = (text: string): Uint8Array => new TextEncoder().encode(text)

const floatText = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i

const parseWhole = (text: string): bigint | undefined => {
  const digits = text.trim()
  if (!/^[+-]?\d{1,20}$/.test(digits)) return undefined
  const value = BigInt(digits.startsWith("+") ? digits.slice(1) : digits)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const parseExact = (
  data: Uint8Array
): { readonly value: bigint; readonly writers: ReadonlyArray<Mark> } | undefined => {
  const [first = "", ...lines] = read(data).split("\n")
  const value = parseWhole(first)
  if (value === undefined) return undefined
  const writers: Array<Mark> = []
  for (const line of lines) {
    const found = /^([0-9a-f]{16}) (\d{1,15})$/.exec(line)
    // The last line of a text that was typed by hand may end, too.
    if (found === null && line !== "") return undefined
    if (found !== null) writers.push({ writer: found[1]!, write: Number(found[2]) })
  }
  return { value, writers }
}
