import { useDemo } from "../app/demo";
import { Sheet } from "../ui/Sheet";
import { useStore } from "../ui/store";
import { type Evidence, METERS } from "../witness";
import { Meter } from "./Meter";
import styles from "./Panel.module.css";
import { truthIfWrong } from "./truthIfWrong";
import { Verdict } from "./Verdict";
import { resetDay } from "./words";

/** The meters as `trueup` has them. */
export function OursPanel({ evidence }: { readonly evidence: Evidence }) {
  const { usage, sessions } = useDemo();
  const { account, anonymous } = useStore(sessions);
  const view = useStore({ subscribe: usage.subscribe, getSnapshot: usage.getSnapshot });
  // While another visitor's view is on its way there is none.
  const isMine = anonymous ? view.status === "anonymous" : view.account === account;
  const resetsAt = view.meters.premium_messages?.resetsAt;
  return (
    <Sheet labelledBy="ours-title" className={styles.panel}>
      <div className={styles.head}>
        <h2 id="ours-title" className={styles.title}>
          <span className={styles.dot} aria-hidden="true" />
          Trueup
        </h2>
        <Verdict score={evidence.score.ours} testId="verdict-ours" />
        <p className={styles.sub}>
          Estimates in pencil, inked when the server decides
          {resetsAt && `; starts over on ${resetDay(resetsAt)}`}
        </p>
      </div>
      {METERS.map((meter) => {
        const figures = isMine ? view.meters[meter] : undefined;
        if (!figures) return null;
        const { limit, remaining, used, settled, held, pending } = figures;
        return (
          <Meter
            key={meter}
            meter={meter}
            limit={limit}
            remaining={remaining}
            used={used}
            parts={[
              { kind: "settled", units: settled },
              { kind: "held", units: held },
              { kind: "pending", units: pending },
            ]}
            testId={`meter-${meter}`}
            truth={truthIfWrong(evidence, "ours", meter, remaining)}
          />
        );
      })}
      {!(isMine && view.meters.premium_messages) && (
        <p className={styles.nothing}>
          {view.status === "offline" ? "The server is out of reach." : "Fetching…"}
        </p>
      )}
      {view.status === "anonymous" && (
        <p className={styles.note}>Counted in this browser only: nobody is signed in.</p>
      )}
    </Sheet>
  );
}
