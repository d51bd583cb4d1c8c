/**
 * The base of all error classes: how they look as text, to `JSON.stringify` and to `structuredClone`.
 *
 * @since 0.1.0
 */
import { requireSupportedNode } from "./internal/supportedNode.ts"
import { jsonOf } from "./Json.ts"
import * as Printable from "./Printable.ts"

// This is the place for the check because every package loads this module before anything else.
requireSupportedNode()

// oxlint-disable-next-line typescript/no-explicit-any -- TypeScript requires it of a class that a function extends
type ErrorConstructor = new (...args: Array<any>) => Error

/**
 * Extends an error class in three ways. Its message is an own property, so that a clone keeps it. The message shows
 * characters that could act on a terminal or forge a line of a log as escapes (see `Printable`). And `JSON.stringify` writes
 * the error with its message, and with 64-bit numbers as decimal text.
 *
 * With `multiline` the message keeps its line breaks. Use it only where no other machine has a say in the message.
 *
 * @example
 * ```ts
 * import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
 * import * as Schema from "effect/Schema"
 *
 * class Gone extends ErrorClass.make(Schema.TaggedError<Gone>()("Gone", { id: Schema.BigInt })) {
 *   override get message() {
 *     return `session ${this.id} is gone`
 *   }
 * }
 *
 * JSON.stringify(new Gone({ id: 1n })) // {"_tag":"Gone","id":"1","message":"session 1 is gone"}
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <C extends ErrorConstructor>(base: C, options?: { readonly multiline?: boolean }): C => {
  const printable = options?.multiline === true ? escapeLines : Printable.escapeAll
  const Described = class extends base {
    // oxlint-disable-next-line typescript/no-explicit-any -- as above
    constructor(...args: Array<any>) {
      super(...args)
      Object.defineProperty(this, "message", {
        value: printable(this.message),
        writable: true,
        configurable: true
      })
    }

    toJSON(): unknown {
      return { ...jsonOf(this), message: this.message }
    }
  }
  // Node prints an error with its stack unless the class has its own inspect method, as those of Effect have.
  Object.defineProperty(Described.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: undefined })
  return Described
}

// ---- internal

const escapeLines = (text: string): string => text.split("\n").map(Printable.escapeAll).join("\n")
