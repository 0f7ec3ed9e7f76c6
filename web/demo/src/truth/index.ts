export {
  type Course,
  courseOfOperation,
  courseOfShift,
  type Decision,
  type Operation,
  PAINT_GRACE_MS,
  type Shift,
  type Step,
  truth,
  type Units,
} from "./course";
export { type Judgement, judge, START, type Standing } from "./judge";
export { extend, type Stretch, wrongMs } from "./stretch";
