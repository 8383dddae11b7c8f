package io.longhorn.simulator.mutation;

import net.bytebuddy.ByteBuddy;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.implementation.FixedValue;
import net.bytebuddy.implementation.Implementation;
import net.bytebuddy.implementation.MethodDelegation;
import net.bytebuddy.matcher.ElementMatcher;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.pool.TypePool;

/**
 * One rule of the design left out: the body of the method that states it is replaced in a copy of its class.
 *
 * @param name what is wrong, as the architecture page lists it
 * @param className the class whose rule it is
 * @param method the method that states the rule
 * @param body what it does instead
 */
record Mutant(String name, String className, String method, Body body) {

    /** A wrong method body. */
    interface Body {
        Implementation with(TypePool types);
    }

    /** The rule says the same always. */
    static Mutant always(String name, String className, String method, boolean value) {
        return new Mutant(name, className, method, types -> FixedValue.value(value));
    }

    /** Nothing is wrong. */
    static Mutant none() {
        return new Mutant("nothing", "", "", types -> FixedValue.value(true));
    }

    /** The rule is replaced by the static method of the same name in {@code replacement}. */
    static Mutant replaced(String name, String className, String method, String replacement) {
        return new Mutant(
                name,
                className,
                method,
                types -> MethodDelegation.withDefaultConfiguration()
                        .filter(ElementMatchers.named(method))
                        .to(types.describe(replacement).resolve()));
    }

    /** The class with the wrong method. */
    byte[] bytes(ClassLoader original) {
        ClassFileLocator files = ClassFileLocator.ForClassLoader.of(original);
        TypePool types = TypePool.Default.of(files);
        TypeDescription type = types.describe(className).resolve();
        ElementMatcher.Junction<MethodDescription> rule = ElementMatchers.named(method);
        if (type.getDeclaredMethods().filter(rule).size() != 1) {
            throw new IllegalStateException(className + " has no single method " + method
                    + ": the rule moved, and the planted bug has to follow");
        }
        return new ByteBuddy()
                .redefine(type, files)
                .method(rule)
                .intercept(body.with(types))
                .make()
                .getBytes();
    }

    @Override
    public String toString() {
        return name;
    }
}
