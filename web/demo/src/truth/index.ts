export {
  type Course,
  courseOfOperation,
  courseOfShift,
  type Operation,
  PAINT_GRACE_MS,
  type Shift,
  type Step,
  type Units,
  type Word,
} from "./course";
export { type Judgement, judge, START, type Standing } from "./judge";
export { extend, type Stretch, wrongMs } from "./stretch";
