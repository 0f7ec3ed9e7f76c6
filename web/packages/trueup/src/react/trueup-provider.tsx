import { type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import type { Correction } from "../events.js";
import type { Trueup } from "../types.js";
import { TrueupContext } from "./context.js";
import { deferTrueup } from "./deferred.js";

/** Props of {@link TrueupProvider}: either `usage` or `create`. */
export type TrueupProviderProps = {
  /** What may use the hooks. */
  readonly children?: ReactNode;
  /** Called for every correction: the place for a toast with `correction.text`. */
  readonly onCorrection?: (correction: Correction) => void;
} & (
  | {
      /** A Trueup that you created and will stop yourself. */
      readonly usage: Trueup;
      readonly create?: undefined;
      readonly onError?: undefined;
    }
  | {
      /**
       * Creates the Trueup: `() => createTrueup({ getToken })`. Called in the browser only, after
       * the provider has mounted; stopped when it unmounts. Later values of the prop are ignored.
       */
      readonly create: () => Promise<Trueup>;
      readonly usage?: undefined;
      /**
       * Called when `create` rejects; the view then stays `loading`. Without it the error is
       * thrown while rendering, for an error boundary.
       */
      readonly onError?: (error: unknown) => void;
    }
);

/**
 * Gives the hooks below it their Trueup.
 *
 * ```tsx
 * <TrueupProvider create={() => createTrueup({ getToken })} onCorrection={(c) => toast(c.text)}>
 *   <Chat />
 * </TrueupProvider>
 * ```
 */
export function TrueupProvider(props: TrueupProviderProps): ReactElement {
  const { children, onCorrection } = props;
  const latest = useRef(props);
  const [failure, setFailure] = useState<{ error: unknown }>();
  const [deferred] = useState(() =>
    deferTrueup(
      async () => latest.current.create?.() ?? Promise.reject(new TypeError("create is missing")),
      (error) => {
        if (latest.current.onError) latest.current.onError(error);
        else setFailure({ error });
      },
    ),
  );
  const given = props.usage;
  const usage = given ?? deferred;

  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => (given ? undefined : deferred.start()), [given, deferred]);
  const listens = onCorrection !== undefined;
  useEffect(
    () =>
      listens
        ? usage.on("correction", (correction) => latest.current.onCorrection?.(correction))
        : undefined,
    [usage, listens],
  );

  if (failure) throw failure.error;
  return <TrueupContext.Provider value={usage}>{children}</TrueupContext.Provider>;
}
