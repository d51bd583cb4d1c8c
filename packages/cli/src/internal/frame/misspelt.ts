/** The flag that was meant, where a name that no flag has was typed. */
import type * as CliError from "effect/cli/CliError"
import type * as HelpDoc from "effect/cli/HelpDoc"
import { changesBetween } from "../output/nearest.ts"

/** What to say of a flag that is not known. */
export interface Misspelt {
  /** The word that was typed. */
  readonly word: string
  /** The names of the flags that are nearest, with their dashes; several that are equally near, or none. */
  readonly alike: ReadonlyArray<string>
  /** Whether the word is a flag but for its dashes. */
  readonly isExact: boolean
  /** Whether help for it is that of `zk` itself. */
  readonly isGlobal: boolean
}

/** Undefined for mistakes that are not those of a flag. */
export const misspelt = (
  error: CliError.CliError | undefined,
  args: ReadonlyArray<string>,
  doc: HelpDoc.HelpDoc
): Misspelt | undefined => {
  // `-server` is read as the flags `-s`, `-e` and so on, and its own name is in no error.
  const long = longWord(error, args)
  if (long !== undefined) {
    const found = nearest(long, doc)
    if (found.alike.length > 0 || wordsOfOthers.has(long)) return found
  }
  return error?._tag === "UnrecognizedOption" ? nearest(error.option, doc) : undefined
}

/** The flags of zkCli.sh itself, which have one dash. */
export const wordsOfOthers: ReadonlyMap<string, string> = new Map([
  ["-server", "here that is --servers (-s)"],
  ["--server", "here that is --servers (-s)"],
  ["-timeout", "here --timeout is the time that a command may take, as in 30s"],
  ["-waitforconnection", "each command waits for its connection"],
  ["-client-configuration", "here TLS is set by --ca, --cert and --key, or by a profile"]
])

// ---- internal

/** A word of one dash and several letters that may have led to the error. */
const longWord = (error: CliError.CliError | undefined, args: ReadonlyArray<string>): string | undefined => {
  if (error?._tag === "UnrecognizedOption" ? error.option.startsWith("--") : error?._tag !== "InvalidValue")
    return undefined
  const end = args.indexOf("--")
  const word = args.slice(0, end < 0 ? args.length : end).find((arg) => /^-[a-z][a-z-]{2,}(=|$)/i.test(arg))
  return word?.replace(/=.*$/s, "")
}

const nearest = (word: string, doc: HelpDoc.HelpDoc): Misspelt => {
  const name = word.replace(/^-+/, "")
  const own = namesOf([...doc.flags, ...(doc.inheritedFlags ?? [])])
  const all = [...own, ...namesOf(doc.globalFlags ?? [])]
  const distances = all.map((each) => [each, distanceOf(name, each)] as const)
  const least = Math.min(...distances.map(([, distance]) => distance))
  const names = [...new Set(distances.filter(([, distance]) => distance === least).map(([each]) => each))]
  const alike = least > (name.length < 4 ? 1 : 2) ? [] : names
  return {
    word,
    alike: alike.map((each) => (each.length === 1 ? `-${each}` : `--${each}`)),
    isExact: least === 0,
    isGlobal: alike.length > 0 && !alike.some((each) => own.includes(each))
  }
}

const namesOf = (flags: ReadonlyArray<HelpDoc.FlagDoc>): ReadonlyArray<string> =>
  flags.flatMap(({ aliases, name }) => [name, ...aliases.map((alias) => alias.replace(/^-+/, ""))])

/** How many letters are to be changed; a letter alone is near to itself in the other case. The begin of a name is near to it. */
const distanceOf = (typed: string, name: string): number => {
  if (typed.length === 1 || name.length === 1) {
    return typed === name ? 0 : typed.toLowerCase() === name.toLowerCase() ? 1 : Number.POSITIVE_INFINITY
  }
  if (typed.length > 2 && name.startsWith(typed)) return typed === name ? 0 : 1
  return changesBetween(typed, name)
}
