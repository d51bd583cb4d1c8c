/** Tests that look at the log or at metrics. */
import { it } from "@effect/vitest"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"

/** Lines at the default level and above, as `Warn connection lost`, instead of the log. */
class LogLines extends Context.Service<LogLines, Array<string>>()("test/LogLines") {
  static readonly layer = Layer.unwrap(
    Effect.sync(() => {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        if (logLevel !== "Debug" && logLevel !== "Trace") lines.push(`${logLevel} ${String(message)}`)
      })
      return Layer.merge(Layer.succeed(LogLines, lines), Logger.layer([logger]))
    })
  )
}

/** Tests that are given the lines of their log, as they come. */
export const itLogged = testOn(it.effect, LogLines.layer, LogLines)

/** Tests whose metrics are their own. */
export const itAlone = testOn(
  it.effect,
  Layer.sync(Metric.MetricRegistry, () => new Map()),
  Effect.void
)
