import { useEffect, useState } from "react";
import { useDemo } from "../app/demo";
import { useStore } from "../ui/store";
import styles from "./ToastStack.module.css";
import type { Toast } from "./toasts";

const SHOWN_MS = 9_000;

/** Corrections with their sentence. Read out politely, kept while looked at. */
export function ToastStack() {
  const { toasts } = useDemo();
  const shown = useStore(toasts);
  return (
    <section className={styles.stack} aria-label="Corrections">
      <div role="status" className={styles.list}>
        {shown.map((toast) => (
          <ToastItem key={toast.key} toast={toast} onDismiss={toasts.dismiss} />
        ))}
      </div>
    </section>
  );
}

interface ToastItemProps {
  readonly toast: Toast;
  readonly onDismiss: (key: string) => void;
}

function ToastItem({ toast: { key, from, cause, text }, onDismiss }: ToastItemProps) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => onDismiss(key), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held, key, onDismiss]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointing at a toast only keeps it there
    <div
      className={`${styles.toast} ${from === "naive" ? styles.naive : ""}`}
      data-testid={from === "naive" ? "naive-toast" : "toast"}
      data-cause={cause}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span className={styles.who}>{from === "naive" ? "Naive" : "Trueup"}</span>
      <span className={styles.text}>{text}</span>
      <button
        type="button"
        className={styles.close}
        aria-label="Dismiss"
        onClick={() => onDismiss(key)}
      >
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          <path
            d="M2 2l8 8M10 2l-8 8"
            stroke="currentColor"
            strokeWidth="1.6"
            strokeLinecap="round"
          />
        </svg>
      </button>
    </div>
  );
}
