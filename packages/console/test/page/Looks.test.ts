import { ZooKeeper } from "@effect-zookeeper/client"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import type { Page } from "playwright-core"
import { serious } from "../support/accessibility.ts"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { exampleTree, makeUp } from "../support/exampleTree.ts"

const seconds = 400_000

/** All views in two colours and three widths take a minute. */
const isLong = process.env["ZK_LONG"] === "1"
const note = isLong ? needsBrowser : " (in test:long only)"

/** Where the pictures of all views are put, to be looked at. */
const folder = process.env["CONSOLE_PICTURES"]

interface View {
  readonly name: string
  readonly hash: string
  /** The text that is there when the view is. */
  readonly until: string
  /** The name of a button to press then. */
  readonly press?: string
  /** The changes that other clients make then. */
  readonly happens?: (zk: ZooKeeper.Service) => Effect.Effect<unknown, unknown>
  /** The text that is there after that. */
  readonly after?: string
}

const views: ReadonlyArray<View> = [
  { name: "root", hash: "/local/tree", until: "zookeeper" },
  { name: "tree", hash: "/local/tree/app/flags/new-checkout", until: "percent" },
  {
    name: "znode",
    hash: "/local/tree/app/config",
    until: "replicas",
    happens: (zk) =>
      Effect.forEach([4, 6], (replicas) =>
        Effect.andThen(
          zk.set("/app/config", JSON.stringify({ name: "checkout", replicas, regions: ["eu-west", "us-east"] })),
          Effect.sleep("1100 millis")
        )
      ),
    after: "Seen while you looked"
  },
  { name: "hex", hash: "/local/tree/app/avatar.bin", until: "00000010" },
  { name: "ensemble", hash: "/local/ensemble", until: "Round trip" },
  { name: "recipes", hash: "/local/recipes", until: "job-7" },
  {
    name: "sessions",
    hash: "/local/sessions/0x200a3f77de10002",
    until: "Ends with it",
    press: "Ask for its watches",
    after: "Ask again"
  },
  {
    name: "events",
    hash: "/local/events",
    until: "The watch is set",
    happens: (zk) =>
      Effect.all([
        zk.set("/app/flags/dark-mode", '{"enabled":false}'),
        zk.create("/tasks/task-0060", { data: '{"n":60}' }),
        zk.create("/locks/report/lock-", { data: "job-12", mode: "ephemeralSequential" }),
        zk.set("/app/flags/dark-mode", '{"enabled":true}'),
        zk.delete("/tasks/task-0060")
      ]),
    after: "/tasks/task-0060"
  }
]

describe.skipIf(!hasBrowser || !isLong)(`the looks of the page${note}`, () => {
  for (const colours of ["light", "dark"] as const) {
    itQuiet(`an accessibility check finds nothing serious in any view, ${colours}`, { timeout: seconds }, function* () {
      const world = yield* makeWorld({})
      yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
      yield* makeUp(world.madeUp, 0x100a3f77de10001n)
      const server = yield* world.serve
      const chromium = yield* browser
      const problems: Array<string> = []
      for (const width of colours === "light" ? [2560, 1440, 360] : [1440, 360]) {
        const { complaints, page } = yield* openPage(chromium, server.link, {
          colours,
          width,
          height: width === 360 ? 740 : width === 2560 ? 1300 : 900
        })
        for (const { after, happens, hash, name, press, until } of views) {
          const wait = (text: string) =>
            Effect.promise(() =>
              page
                .getByText(text)
                .first()
                .waitFor()
                .catch((error: unknown) => problems.push(`${name} at ${width}: ${String(error)}`))
            )
          yield* Effect.promise(() => page.goto(`${server.url}#${hash}`))
          yield* wait(until)
          if (press !== undefined) yield* Effect.promise(() => page.getByRole("button", { name: press }).click())
          if (happens !== undefined) yield* happens(world.zk)
          if (after !== undefined) yield* wait(after)
          if (folder !== undefined) yield* Effect.promise(() => picture(page, `${name}-${colours}-${width}`))
          const overflow = yield* Effect.promise(() => page.evaluate<number>(widerThanSeen))
          if (overflow > 0) problems.push(`${name} is ${overflow} pixels wider than ${width}`)
          for (const found of yield* Effect.promise(() => serious(page))) problems.push(`${name} at ${width}: ${found}`)
        }
        problems.push(...complaints)
      }
      assert.deepStrictEqual(problems, [])
    })
  }
})

const picture = async (page: Page, name: string): Promise<void> => {
  Fs.mkdirSync(folder ?? "", { recursive: true })
  await page.waitForTimeout(400)
  await page.screenshot({ path: `${folder}/${name}.png` })
}

/** How much of the page, or of the view in it, is beyond its right edge. */
const widerThanSeen = `Math.max(
  document.documentElement.scrollWidth - window.innerWidth,
  document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth
)`
