/** Declares the style sheets of parts that are loaded when they are shown. */
declare module '*.css';
