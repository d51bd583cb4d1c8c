/** How a command runs: its settings are found, its code is loaded, and it gets a client and a printer. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Terminal from "effect/Terminal"
import { make as makePrinter, Printer } from "../output/Printer.ts"
import { Client, make as makeClient } from "./Client.ts"
import { inShell } from "./inShell.ts"
import { TimedOut, UsageError } from "./errors.ts"
import * as GlobalFlags from "./globalFlags.ts"
import { resolve } from "./Settings.ts"

/** The handler of a command whose code is loaded only when it runs. Where it is not `limited`, it has no `--timeout`. */
export const handle =
  <Input, E, R>(load: () => Promise<(input: Input) => Effect.Effect<void, E, R>>, { limited = true } = {}) =>
  (input: Input) =>
    Effect.gen(function* () {
      const json = yield* GlobalFlags.Json
      const ndjson = yield* GlobalFlags.Ndjson
      if (json && ndjson) {
        return yield* new UsageError({ message: "--json and --ndjson exclude each other: choose one" })
      }
      const client = (yield* inShell) ?? makeClient(yield* resolve)
      const run = yield* Effect.promise(load)
      const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
      const columns = yield* (yield* Terminal.Terminal).columns
      const printer = yield* makePrinter(json ? "json" : ndjson ? "ndjson" : "text", canColor, columns)
      const command: Effect.Effect<void, E, Exclude<Exclude<Exclude<R, Scope.Scope>, Client>, Printer>> = run(
        input
      ).pipe(Effect.scoped, Effect.provideService(Client, client), Effect.provideService(Printer, printer))
      const { timeout } = client.settings
      if (timeout === undefined || !limited) return yield* command
      return yield* Effect.timeoutOrElse(command, {
        duration: timeout,
        orElse: () => new TimedOut({ timeout: Duration.format(timeout) })
      })
    })
