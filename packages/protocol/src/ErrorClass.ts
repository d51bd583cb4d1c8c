/**
 * How errors look from outside: to `JSON.stringify`, to `structuredClone` and to whatever sends them to another thread.
 *
 * @since 0.1.0
 */
import { requireSupportedNode } from "./internal/supportedNode.ts"
import { jsonOf } from "./Json.ts"
import * as Printable from "./Printable.ts"

// Here, because every package makes its errors with this module before it makes anything else.
requireSupportedNode()

// oxlint-disable-next-line typescript/no-explicit-any -- what TypeScript asks of a class that is extended by a function
type ErrorConstructor = new (...args: Array<any>) => Error

/**
 * The class of an error, whose message is a property of its own, so that a clone keeps it, and shows characters that could
 * act on a terminal or forge a line of a log as escapes, whoever has chosen them (see `Printable`); and which `JSON.stringify` takes,
 * with the message and with 64-bit numbers as decimal text.
 *
 * ```ts
 * class Gone extends ErrorClass.make(Schema.TaggedError<Gone>()("Gone", { id: Schema.BigInt })) {
 *   override get message() {
 *     return `${this.id} is gone`
 *   }
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <C extends ErrorConstructor>(base: C): C => {
  const Described = class extends base {
    // oxlint-disable-next-line typescript/no-explicit-any -- as above
    constructor(...args: Array<any>) {
      super(...args)
      Object.defineProperty(this, "message", {
        value: Printable.escapeAll(this.message),
        writable: true,
        configurable: true
      })
    }

    toJSON(): unknown {
      return { ...jsonOf(this), message: this.message }
    }
  }
  // Node shows an error with its stack, unless it has a way of its own to be shown, as those of Effect have.
  Object.defineProperty(Described.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: undefined })
  return Described
}
