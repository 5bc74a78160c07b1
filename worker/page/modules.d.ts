/** Style sheets of parts that are asked for when they are shown. */
declare module '*.css';
