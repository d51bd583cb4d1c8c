import { ErrorBoundary, type JSX } from "solid-js"
import { line } from "../model/text.ts"

/** A mistake in a component costs its view, and not the page. */
export const Failure = (props: { readonly children: JSX.Element }) => (
  <ErrorBoundary
    fallback={(error: unknown, reset) => (
      <div class="empty" role="alert">
        <h2>This view has failed</h2>
        <p class="mono">{line(error instanceof Error ? error.message : String(error))}</p>
        <p>It is a mistake of the page, not of your ensemble. What you typed is kept.</p>
        <button class="button" onClick={reset}>
          Show it again
        </button>
      </div>
    )}
  >
    {props.children}
  </ErrorBoundary>
)
