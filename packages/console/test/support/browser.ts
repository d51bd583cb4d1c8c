/** The browser of the tests: Debian's chromium. Without one, tests of the page are skipped, with the reason in their titles. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import type { Browser, Page } from "playwright-core"

const executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) =>
  Fs.existsSync(file)
)

export const hasBrowser = executable !== undefined

/** For the title of a suite. */
export const needsBrowser = hasBrowser ? "" : " (needs chromium: apt-get install chromium)"

/** It ends by a signal: to close it politely can take longer than a test. */
export const browser = Effect.map(
  Effect.acquireRelease(
    Effect.promise(async () => {
      const { chromium } = await import("playwright-core")
      // As root there is no sandbox, and the containers of CI have a small /dev/shm.
      const server = await chromium.launchServer({
        executablePath: executable ?? "",
        args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
      })
      return { server, browser: await chromium.connect(server.wsEndpoint()) }
    }),
    ({ server }) => Effect.promise(() => server.kill())
  ),
  ({ browser }): Browser => browser
)

export interface Look {
  readonly width?: number
  readonly height?: number
  readonly colours?: "light" | "dark"
}

export interface Opened {
  readonly page: Page
  /** Errors that the page must never have: failed scripts, and those of the policy for content. */
  readonly complaints: ReadonlyArray<string>
}

/** A page in a window of its own, without cookies of others. It ends with the browser. */
export const openPage = (
  browser: Browser,
  link: string,
  { colours = "light", height = 900, width = 1440 }: Look = {}
): Effect.Effect<Opened> =>
  Effect.promise(async () => {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: colours,
      reducedMotion: "reduce",
      permissions: ["clipboard-write"]
    })
    const page = await context.newPage()
    // Generous, for machines that are busy with other tests.
    page.setDefaultTimeout(60_000)
    page.on("dialog", (dialog) => void dialog.accept())
    const complaints: Array<string> = []
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`))
    page.on("console", (message) => {
      // The browser itself reports a server that is gone.
      if (message.type() === "error" && !/ERR_CONNECTION|WebSocket connection|401/.test(message.text())) {
        complaints.push(message.text())
      }
    })
    await page.goto(link)
    return { page, complaints }
  })
