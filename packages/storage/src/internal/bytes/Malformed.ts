/**
 * The problem of a file before its name is known: thrown by the decoders, and made a `MalformedFile` where the file is open.
 */
import { MalformedFile } from "../../StorageError.ts"

export type Problem = MalformedFile["problem"]

export type Within = MalformedFile["within"]

/** Thrown, and never seen outside. */
export class Malformed extends Error {
  readonly problem: Problem
  readonly offset: number
  readonly expected: string
  readonly found: string

  constructor(problem: Problem, offset: number, expected: string, found: string) {
    super(expected)
    this.problem = problem
    this.offset = offset
    this.expected = expected
    this.found = found
  }
}

/** A zxid, a magic number or a checksum as text, for what was expected or found. */
export const hex = (value: number | bigint): string => `0x${value.toString(16)}`

/** The public error for a problem of this file; any other error is a defect. */
export const toMalformedFile = (error: unknown, file: string, within: Within): MalformedFile => {
  if (!(error instanceof Malformed)) throw error
  const { expected, found, offset, problem } = error
  return new MalformedFile({ file, problem, offset, within, expected, found })
}
