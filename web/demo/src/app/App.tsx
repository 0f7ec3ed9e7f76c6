import { QueryClientProvider } from "@tanstack/react-query";
import { ChartPanel } from "../chart/ChartPanel";
import { ChatPanel } from "../chat/ChatPanel";
import { FaultsPanel } from "../faults/FaultsPanel";
import { NaivePanel } from "../meters/NaivePanel";
import { OursPanel } from "../meters/OursPanel";
import { Scenarios } from "../scenarios/Scenarios";
import { ToastStack } from "../toasts/ToastStack";
import { useStore } from "../ui/store";
import styles from "./App.module.css";
import { type Demo, DemoContext, useDemo } from "./demo";
import { Header } from "./Header";

export function App({ demo }: { readonly demo: Demo }) {
  return (
    <DemoContext value={demo}>
      <QueryClientProvider client={demo.naive.queryClient}>
        <Page />
      </QueryClientProvider>
    </DemoContext>
  );
}

function Page() {
  const { account, anonymous } = useStore(useDemo().sessions);
  return (
    <div className={styles.page}>
      <Header />
      {/* Another visitor gets another page: nothing of the one before stays in any component. */}
      <main key={`${account} ${anonymous}`} className={styles.main}>
        <div className={styles.actions}>
          <ChatPanel />
          <div className={styles.faults}>
            <FaultsPanel />
          </div>
          <ToastStack />
        </div>
        <Evidence />
      </main>
    </div>
  );
}

function Evidence() {
  const evidence = useStore(useDemo().witness);
  return (
    <div className={styles.evidence}>
      <div className={styles.meters}>
        <OursPanel evidence={evidence} />
        <NaivePanel evidence={evidence} />
      </div>
      <div className={styles.scenarios}>
        <Scenarios />
      </div>
      <div className={styles.chart}>
        <ChartPanel evidence={evidence} />
      </div>
    </div>
  );
}
