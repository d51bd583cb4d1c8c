/** `zk whoami`: the identities that the servers see. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { printOne } from "../output/Printer.ts"
import { fields, shown } from "../output/text.ts"

export const whoami = Effect.fnUntraced(function* () {
  const zk = yield* (yield* Client).reader
  const identities = yield* zk.whoAmI
  const server = Option.getOrUndefined(Option.map(zk.session.server, ({ host, port }) => `${host}:${port}`))
  const value = {
    identities,
    session: zk.session.id,
    readOnly: zk.session.readOnly,
    ...(server === undefined ? {} : { server })
  }
  yield* printOne(Output.WhoAmI, value, (_, style) =>
    fields(
      [
        ...identities.map(({ id, scheme }) => [shown(scheme), shown(id)] as const),
        ["session", Output.formatHex(value.session)],
        ["server", `${server ?? "none"}${value.readOnly ? " (read-only)" : ""}`]
      ],
      style
    )
  )
})
