"""From the facts to the instances: one module per subject, one function per output table (or family of rows).

``facts``      reads the tables of facts and choices and turns a fact into a citation; a number remembers its cells
``book``       collects rows of one instance and writes its tables
``chain``      materials, processes, recipes, countries, sectors
``plants``     how a mine, plant or project of the facts becomes facility, operation, option
``mining``, ``separation``, ``metal``, ``magnets``, ``recycling``   the named plants, stage by stage
``china``      China in aggregate, and its prices
``generic``    unnamed projects, paced
``trade``      lanes and tariffs
``demand``     demand by region, sector and grade
``money``      cost of capital, funds
``ranges``     how far the numbers may be off, and how sure the facts are
``flagship``, ``overlays``, ``world``   what goes into which instance
"""
